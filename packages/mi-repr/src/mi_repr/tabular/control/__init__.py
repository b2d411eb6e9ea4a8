"""What a representation is sufficient for: optimal values, verdicts, losses, bisimulation."""
