"""What can be said of an exercise without running it: every finding names file, line, and what to do."""
