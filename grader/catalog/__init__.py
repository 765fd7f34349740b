"""Exercise folders: manifest, checks, variants, kits."""
