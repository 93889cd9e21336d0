import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from services.webhooks.signing import sign

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()

instants = st.integers(0, 4 * 10**15).map(
    lambda micros: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
)


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5)).map(repr), st.uuids())
def test_the_official_library_verifies_any_payload(payload: str, name: object) -> None:
    headers = sign([SECRET], f"msg_{name}", payload, datetime.now(UTC))
    Webhook(SECRET).verify(payload, headers, json_parse=False)


def test_the_official_library_reads_the_payload_from_the_bytes_that_are_sent() -> None:
    payload = '{"company":{"name":"Bücher & Söhne \N{HONEYBEE}"}}'
    headers = sign([SECRET], "msg_1", payload, datetime.now(UTC))
    assert Webhook(SECRET).verify(payload.encode(), headers) == {
        "company": {"name": "Bücher & Söhne \N{HONEYBEE}"}
    }


@given(instants, st.text())
def test_the_signature_is_an_hmac_over_id_time_and_payload(at: datetime, payload: str) -> None:
    headers = sign([SECRET], "msg_1", payload, at)
    seconds = int(at.replace(microsecond=0).timestamp())
    mac = hmac.new(KEY, f"msg_1.{seconds}.{payload}".encode(), hashlib.sha256).digest()
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(seconds),
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


def test_another_secret_payload_or_id_does_not_verify() -> None:
    now = datetime.now(UTC)
    headers = sign([SECRET], "msg_1", "{}", now)
    other = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify("[]", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify("{}", {**headers, "webhook-id": "msg_2"})


def test_each_attempt_has_its_own_signature_so_that_a_late_one_does_not_look_like_a_replay() -> (
    None
):
    now = datetime.now(UTC)
    first = sign([SECRET], "msg_1", "{}", now - timedelta(hours=1))
    second = sign([SECRET], "msg_1", "{}", now)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify("{}", first)
    Webhook(SECRET).verify("{}", second)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-signature"] != second["webhook-signature"]


def test_each_secret_signs_and_the_official_library_verifies_with_any_of_them() -> None:
    other = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    stranger = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    headers = sign([SECRET, other], "msg_1", "{}", datetime.now(UTC))
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, other):
        Webhook(secret).verify("{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(stranger).verify("{}", headers)
