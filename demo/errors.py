"""The exception of this package."""


class DemoError(Exception):
    """Raised when the demo cannot continue, with a sentence for people."""
