"""Status names that do not depend on a rule file."""

NOT_APPLICABLE = "N/A"
"""The status of a flag that does not apply to a company."""

DEFAULT_STATUSES = ("Healthy", "At Risk", "Critical")
"""The statuses of an organization whose rule file lists none, best first."""
