"""What became of companies: the report, the list with its form, and the import of a file."""

from dashboard.pages.outcomes import importing, listing, one, report, report_lists
from dashboard.pages.outcomes.frame import blueprint

__all__ = ["blueprint", "importing", "listing", "one", "report", "report_lists"]
