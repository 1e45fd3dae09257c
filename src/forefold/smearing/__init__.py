"""Smearing: from true particles to what the detector sees of them."""
