"""The root of the dashboard's exceptions."""


class DashboardError(Exception):
    """Raised when the dashboard refuses a request; each subclass is a reason."""
