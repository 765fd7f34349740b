"""What engineers use who write exercises: scaffold, lint, proof, calibration."""
