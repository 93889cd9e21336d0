"""The pages of rules: the editor, plans and backtests of a draft, and versions."""

from dashboard.pages.rules import backtests, page, versions
from dashboard.pages.rules.frame import blueprint

__all__ = ["backtests", "blueprint", "page", "versions"]
