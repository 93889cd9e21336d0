"""Today, and the pages beside it."""

from dashboard.pages.today import page, upcoming_list
from dashboard.pages.today.frame import blueprint

__all__ = ["blueprint", "page", "upcoming_list"]
