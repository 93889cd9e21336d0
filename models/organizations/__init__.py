"""Organizations, their rule versions and their audit log."""
