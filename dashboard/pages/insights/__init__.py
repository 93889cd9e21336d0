"""Insights: who uses which event, its adoption, and which companies are near a threshold."""

from dashboard.pages.insights import event, overview
from dashboard.pages.insights.frame import blueprint

__all__ = ["blueprint", "event", "overview"]
