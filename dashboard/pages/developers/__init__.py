"""Settings: API keys, webhooks, and what was delivered."""

from dashboard.pages.developers import deliveries, endpoint, keys, webhooks
from dashboard.pages.developers.frame import blueprint

__all__ = ["blueprint", "deliveries", "endpoint", "keys", "webhooks"]
