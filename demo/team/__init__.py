"""What the team of the demo does: it works on raised flags, and writes notes."""
