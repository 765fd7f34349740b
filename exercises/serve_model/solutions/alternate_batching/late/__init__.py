"""The late-payment score over HTTP: see NOTES.md for how the parts fit together."""
