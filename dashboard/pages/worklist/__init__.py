"""The worklist: items of raised flags, one by one and many at once."""

from dashboard.pages.worklist import bulk, item, page, response_times
from dashboard.pages.worklist.frame import blueprint

__all__ = ["blueprint", "bulk", "item", "page", "response_times"]
