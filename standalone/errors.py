"""The exception of this package."""


class StandaloneError(Exception):
    """Raised when a server or the data directory cannot be used, with a sentence for people."""


def reason(error: Exception) -> str:
    """Return what went wrong, as one line without a full stop."""
    text = str(getattr(error, "stderr", None) or error).strip()
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__
