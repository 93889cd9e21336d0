"""The load generator: clients, the traffic they send, and receivers of webhooks."""
