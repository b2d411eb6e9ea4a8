"""The benchmark that a plain installation can build: drawings over photos, with exact masks."""
