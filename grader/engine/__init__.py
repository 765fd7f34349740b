"""Carrying out runs: knows ports, never adapters."""
