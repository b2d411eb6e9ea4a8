"""Return by episode of all learners on all families that have results in the repository."""
