"""The settings for developers: API keys, ways in, webhooks, and deliveries."""

from dashboard.pages.developers import arrivals, connect, deliveries, endpoint, keys, webhooks
from dashboard.pages.developers.frame import blueprint

__all__ = ["arrivals", "blueprint", "connect", "deliveries", "endpoint", "keys", "webhooks"]
