"""Settings: the account, people, and the audit log."""
