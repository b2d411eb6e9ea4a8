"""Which representations are maximal, and what they are sufficient for: all of them, or by merges."""
