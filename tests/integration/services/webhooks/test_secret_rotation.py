"""Secrets are encrypted with the first of several keys, one organization after another."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.fernet import Fernet

from config.settings import Settings
from models.database import execute, query, transaction
from models.encrypted_secrets import SecretUnreadable, decrypt
from models.organizations import organizations
from models.webhooks import stored_secrets, webhook_endpoints
from services.secret_rotation import SecretsFound, UnreadableSecret, rotate
from services.webhooks import endpoints
from tests.support.product.brazebee_process import eventually
from tests.support.webhooks.outbox import Outbox

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))
URL = "https://example.com/hook"


def add(organization: str, *keys: str) -> tuple[UUID, str]:
    with transaction():
        found = organizations.find(organization) or organizations.create(organization)
        return webhook_endpoints.add(found.id, URL, secret_keys=keys)


def give_new_secret(endpoint_id: UUID, *keys: str, former_until: datetime | None = None) -> str:
    with transaction():
        return webhook_endpoints.rotate_secret(
            organization_of(endpoint_id),
            endpoint_id,
            secret_keys=keys,
            former_until=former_until or datetime.now(UTC) + timedelta(hours=1),
        )


def organization_of(endpoint_id: UUID) -> int:
    [row] = query("select organization_id from webhook_endpoints where id = %(i)s",
                  {"i": endpoint_id})  # fmt: skip
    return int(row["organization_id"])


def stored(endpoint_id: UUID) -> list[str | None]:
    with transaction():
        [row] = query(
            "select encrypted_secret, former_encrypted_secret from webhook_endpoints"
            " where id = %(id)s",
            {"id": endpoint_id},
        )
    return list(row.values())


def signing(endpoint_id: UUID, *keys: str) -> list[str]:
    """The secrets that sign, decrypted with these keys only."""
    with transaction():
        found = webhook_endpoints.list_for_organization(organization_of(endpoint_id))
    [endpoint] = [endpoint for endpoint in found if endpoint.id == endpoint_id]
    return [decrypt(secret, keys) for secret in endpoint.encrypted_secrets]


def turn(keys: Sequence[str], *, dry_run: bool = False) -> SecretsFound:
    with transaction():
        every = organizations.list_all()
    return rotate(every, keys, dry_run=dry_run)


def test_all_secrets_are_readable_with_the_first_key_alone_and_nothing_is_left_to_do(
    settings: Settings,
) -> None:
    one, former = add("a", OLD)
    secret = give_new_secret(one, OLD)
    other, only = add("b", OLD)
    newer, newest = add("b", NEW)
    assert turn((NEW, OLD), dry_run=True).by_key == {0: 1, 1: 3}
    with pytest.raises(SecretUnreadable):
        signing(other, NEW)
    found = turn((NEW, OLD))
    assert (found.by_key, found.outdated, found.unused) == ({0: 1, 1: 3}, 3, 0)
    assert signing(one, NEW) == [secret, former]
    assert (signing(other, NEW), signing(newer, NEW)) == ([only], [newest])
    before = [stored(endpoint) for endpoint in (one, other, newer)]
    assert turn((NEW,)) == SecretsFound({0: 4})
    assert [stored(endpoint) for endpoint in (one, other, newer)] == before


def test_what_no_key_decrypts_is_named_and_stays_while_the_others_are_encrypted(
    settings: Settings,
) -> None:
    lost, secret = add("a", LOST)
    mixed, _ = add("b", LOST)
    give_new_secret(mixed, LOST)
    with transaction():
        execute(
            "update webhook_endpoints set encrypted_secret = 'damaged' where id = %(id)s",
            {"id": mixed},
        )
    readable, only = add("b", OLD)
    after, last = add("c", OLD)
    found = turn((NEW, OLD))
    assert found.unreadable == [
        UnreadableSecret("a", lost),
        UnreadableSecret("b", mixed),
        UnreadableSecret("b", mixed, former=True),
    ]
    assert (signing(readable, NEW), signing(after, NEW)) == ([only], [last])
    assert stored(mixed)[0] == "damaged"
    assert signing(lost, LOST) == [secret]
    assert turn((NEW, LOST)).unreadable == [UnreadableSecret("b", mixed)]
    assert signing(lost, NEW) == [secret]


def test_a_dry_run_neither_changes_nor_locks(settings: Settings) -> None:
    endpoint, _ = add("a", OLD)
    before = stored(endpoint)
    with transaction():
        every = organizations.list_all()
        execute("set transaction read only")  # refuses updates and locks alike
        assert rotate(every, (NEW, OLD), dry_run=True).outdated == 1
    assert stored(endpoint) == before


def test_secrets_with_which_nothing_is_signed_any_more_are_deleted(settings: Settings) -> None:
    over, _ = add("a", LOST)
    secret = give_new_secret(over, OLD, LOST, former_until=datetime.now(UTC))
    removed, _ = add("a", LOST)
    with transaction():  # as releases before did, which kept the secret
        execute(
            "update webhook_endpoints set removed_at = now() where id = %(id)s", {"id": removed}
        )
    assert turn((NEW, OLD), dry_run=True).unused == 2
    found = turn((NEW, OLD))
    assert (found.unused, found.unreadable) == (2, [])
    assert (signing(over, NEW), stored(over)[1]) == ([secret], None)
    assert stored(removed) == ["", None]
    assert turn((NEW, OLD)) == SecretsFound({0: 1})


def test_removing_an_endpoint_deletes_its_secrets(settings: Settings) -> None:
    endpoint, _ = add("a", OLD)
    give_new_secret(endpoint, OLD)
    with transaction():
        endpoints.remove(endpoints.lock(organization_of(endpoint), endpoint))
    assert stored(endpoint) == ["", None]


def test_a_secret_that_is_replaced_meanwhile_is_kept(settings: Settings) -> None:
    endpoint, former = add("a", OLD)
    rotating = threading.Thread(target=turn, args=((NEW, OLD),))
    with transaction():
        endpoints.lock(organization_of(endpoint), endpoint)
        rotating.start()
        eventually(lambda: query("select from pg_locks where not granted"))
        secret = give_new_secret(endpoint, OLD)
    rotating.join(10)
    assert signing(endpoint, NEW) == [secret, former]


def test_new_deliveries_do_not_wait_for_a_rotation(settings: Settings) -> None:
    endpoint, _ = add("a", OLD)

    def subscribed() -> int:
        with transaction():
            execute("set local lock_timeout = 500")
            return len(webhook_endpoints.lock_subscribed(organization_id))

    with ThreadPoolExecutor() as others, transaction():
        organization_id = organization_of(endpoint)
        stored_secrets.lock(organization_id)
        assert others.submit(subscribed).result(10) == 1


def test_after_its_key_is_lost_an_endpoint_gets_a_new_secret_and_its_webhooks_are_sent(
    outbox: Outbox,
) -> None:
    keys = (NEW,)
    assert outbox.attempt_and_retry(1, secret_keys=keys) is not None
    secret = give_new_secret(outbox.endpoint_id, *keys)
    assert signing(outbox.endpoint_id, *keys) == [secret]
    assert outbox.attempt_and_retry(2, secret_keys=keys) is None
    assert outbox.row["state"] == "delivered"


def test_attempts_succeed_at_every_step_of_a_rotation(outbox: Outbox) -> None:
    old = outbox.settings.secret_keys
    turned = replace(outbox.settings, secret_keys=(NEW, *old)).secret_keys
    for keys in (old, (*old, NEW), turned):
        assert signing(outbox.endpoint_id, *keys) == [outbox.secret]
    assert turn(turned).outdated == 1
    for keys in ((*old, NEW), turned, (NEW,)):
        assert signing(outbox.endpoint_id, *keys) == [outbox.secret]
