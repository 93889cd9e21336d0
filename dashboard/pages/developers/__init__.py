"""The settings for developers: API keys, webhooks, and deliveries."""

from dashboard.pages.developers import deliveries, endpoint, keys, webhooks
from dashboard.pages.developers.frame import blueprint

__all__ = ["blueprint", "deliveries", "endpoint", "keys", "webhooks"]
