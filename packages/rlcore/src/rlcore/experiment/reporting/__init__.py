"""What a run tells while it trains: metrics in files, progress on the screen."""
