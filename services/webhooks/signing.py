"""Signs webhooks according to Standard Webhooks (https://www.standardwebhooks.com)."""

from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook


def sign(secrets: Sequence[str], message_id: str, payload: str, at: datetime) -> dict[str, str]:
    """Return the headers of an attempt made at `at`, with an HMAC-SHA256 over them and the body.

    Each secret signs, so that a receiver can verify with either one during a rotation.
    """
    signatures = (
        Webhook(secret).sign(msg_id=message_id, timestamp=at, data=payload) for secret in secrets
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
