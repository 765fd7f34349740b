"""What runs inside a submission box. Standard library only; it belongs to the candidate."""
