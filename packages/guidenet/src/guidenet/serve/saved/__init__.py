"""What the page writes and reads again: guidance and whole work; names of files."""
