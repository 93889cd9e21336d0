"""Insights: who uses which event, how that spreads, and who is near a threshold."""

from dashboard.pages.insights import event, overview
from dashboard.pages.insights.frame import blueprint

__all__ = ["blueprint", "event", "overview"]
