"""Signs webhooks as Standard Webhooks has it (https://www.standardwebhooks.com)."""

from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook


def sign(secrets: Sequence[str], message_id: str, payload: str, at: datetime) -> dict[str, str]:
    """The headers of an attempt made at the instant `at`: an HMAC-SHA256 over them and the body.

    Each secret signs, so that a receiver may verify with either while one is rotated.
    """
    signatures = (
        Webhook(secret).sign(msg_id=message_id, timestamp=at, data=payload) for secret in secrets
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
