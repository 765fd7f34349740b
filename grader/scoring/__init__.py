"""Pure functions from results to score sheets."""
