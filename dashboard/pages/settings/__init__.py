"""Settings: the own account, people, the audit log."""
