"""What the client raises, always for a mistake in the program and never for network or disk."""


class BrazebeeError(Exception):
    """Base of all errors of this package."""


class InvalidCall(BrazebeeError, ValueError):
    """Raised when the arguments of a call can never become a valid event."""


class InvalidConfiguration(BrazebeeError, ValueError):
    """Raised when the client cannot work as it is configured."""
