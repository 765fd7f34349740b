"""Grade practical machine-learning take-home exercises fairly, in a sandbox."""

__version__ = "0.1.0"
