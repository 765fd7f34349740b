"""How a database of any earlier version becomes the present one. A migration that was released never changes."""
