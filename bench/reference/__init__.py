"""What figures are compared with: ceilings, and the straightforward implementation."""
