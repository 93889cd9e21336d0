"""The exception of this package."""


class StandaloneError(Exception):
    """Raised when a server or the data directory is unusable; the message is for people."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's text, or of its standard error, without a full stop."""
    text = str(getattr(error, "stderr", None) or error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
