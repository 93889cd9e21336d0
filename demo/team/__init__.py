"""What the team of the demo does: it works on raised flags, writes notes, and shares views."""
