"""The actors behind the queues: storing events, evaluating health, delivering webhooks."""
