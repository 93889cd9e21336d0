"""Posts to receivers on the loopback address."""

import ipaddress
from datetime import timedelta

from config.webhook_policy import WebhookPolicy
from services.webhooks.addresses import AddressPolicy
from services.webhooks.transport import Response, Transport

LOOPBACK = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])


def post(
    url: str,
    *,
    policy: AddressPolicy = LOOPBACK,
    body: bytes = b"{}",
    total_seconds: float = 5.0,
) -> Response:
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,abc"}
    return Transport(policy, WebhookPolicy(timeout=timedelta(seconds=total_seconds))).post(
        url, body, headers
    )
