"""The secrets that sign webhooks."""

import json
from datetime import UTC, datetime, timedelta

from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from models import encrypted_secrets
from models.database import execute, query, transaction
from models.webhooks import webhook_endpoints
from tests.support.webhooks.outbox import Outbox, Receiver


def test_a_secret_is_stored_only_encrypted(outbox: Outbox) -> None:
    with transaction():
        [row] = query("select * from webhook_endpoints")
    assert outbox.secret.startswith("whsec_")
    assert outbox.secret.removeprefix("whsec_") not in json.dumps(row, default=str)
    assert encrypted_secrets.decrypt(row["encrypted_secret"], outbox.settings.secret_keys) == (
        outbox.secret
    )


def test_during_a_rotation_both_secrets_sign_and_the_official_library_accepts_either(
    outbox: Outbox, receiver: Receiver
) -> None:
    former, keys = outbox.secret, outbox.settings.secret_keys
    receiver.answers = [(500, {}, b"")]
    outbox.attempt_and_retry(1)
    with transaction():
        secret = webhook_endpoints.rotate_secret(
            outbox.organization_id,
            outbox.endpoint_id,
            secret_keys=keys,
            former_until=datetime.now(UTC) + timedelta(hours=24),
        )
    outbox.attempt_and_retry(2)
    with transaction():
        execute("update webhook_endpoints set former_secret_until = now()")
    outbox.attempt_and_retry(3)
    verified = [
        [verifies(former, *request), verifies(secret, *request)] for request in receiver.requests
    ]
    assert verified == [[True, False], [True, True], [False, True]]


def verifies(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True
