"""How a stranger's files become an immutable submission, with hard limits."""
