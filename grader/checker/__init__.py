"""What runs inside a checker box: the pytest plugin, its fixtures, safe parsing."""
