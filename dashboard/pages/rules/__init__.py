"""The pages of rules: flags in words, the editor, examples, plans and backtests, and versions."""

from dashboard.pages.rules import backtest_jobs, backtests, examples, flags, page, versions
from dashboard.pages.rules.frame import blueprint

__all__ = ["backtest_jobs", "backtests", "blueprint", "examples", "flags", "page", "versions"]
