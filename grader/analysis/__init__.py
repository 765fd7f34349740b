"""Figures about many runs: item analysis, reliability, comparison tables, and their pages."""
