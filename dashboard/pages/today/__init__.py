"""Today, and the pages beside it."""

from dashboard.pages.today import page, recent, upcoming_list
from dashboard.pages.today.frame import blueprint

__all__ = ["blueprint", "page", "recent", "upcoming_list"]
