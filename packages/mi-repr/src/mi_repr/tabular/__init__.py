"""The exact analyser of finite MDPs."""
