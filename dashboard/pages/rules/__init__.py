"""The pages of rules: the editor, examples, plans and backtests of a draft, and versions."""

from dashboard.pages.rules import backtests, examples, page, versions
from dashboard.pages.rules.frame import blueprint

__all__ = ["backtests", "blueprint", "examples", "page", "versions"]
