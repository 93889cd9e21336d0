"""References for comparison: ceilings, and a straightforward implementation."""
