"""Settings: one's own account, people, and the audit log."""
