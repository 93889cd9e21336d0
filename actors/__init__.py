"""What runs behind the queues: storing events, judging health, delivering webhooks."""
