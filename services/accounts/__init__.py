"""People, their roles and passwords, and the audit log of their changes."""
