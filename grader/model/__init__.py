"""Frozen values: what grader talks about. No input or output happens here."""
