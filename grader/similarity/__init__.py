"""Which submissions share code, as passages for a person to look at. Nothing here changes a score."""
