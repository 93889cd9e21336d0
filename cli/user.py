"""Who runs a command."""

import getpass


def current_user() -> str:
    """The name of the user on this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
