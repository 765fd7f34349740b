"""Boxes: where code runs that must not harm anything, and how the host talks with them."""
