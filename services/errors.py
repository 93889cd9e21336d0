"""The root of the exceptions of this package."""


class ServiceError(Exception):
    """Raised when a service cannot do what was asked; the base of such exceptions."""
