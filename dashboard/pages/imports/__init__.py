"""The import of companies and users from CSV files: upload, preview, and the result."""

from dashboard.pages.imports import preview, upload
from dashboard.pages.imports.frame import blueprint

__all__ = ["blueprint", "preview", "upload"]
