"""The exception of this package."""


class ConfigError(Exception):
    """Raised when environment variables are missing or invalid; the message lists all faults."""
