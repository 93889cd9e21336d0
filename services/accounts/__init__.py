"""People, their roles and passwords, and the audit log of what they change."""
