"""Commands that make something in a folder, and go on where they stopped: run side by side."""
