"""Materials: ranges, stopping power, containment."""
