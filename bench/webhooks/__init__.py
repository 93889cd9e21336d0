"""Measurements of webhooks: deliveries, and endpoints that hang."""
