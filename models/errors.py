"""The root of the exceptions of this package."""


class ModelError(Exception):
    """Raised when a table cannot be read or written as asked; the base of such exceptions."""
