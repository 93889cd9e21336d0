"""The pages of rules: the editor, examples, plans and backtests of a draft, and versions."""

from dashboard.pages.rules import backtest_jobs, backtests, examples, page, versions
from dashboard.pages.rules.frame import blueprint

__all__ = ["backtest_jobs", "backtests", "blueprint", "examples", "page", "versions"]
