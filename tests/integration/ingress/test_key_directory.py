"""API keys and event settings are cached, and served from the cache without PostgreSQL."""

import psycopg2
import pytest

from config.settings import Settings
from ingress.client import key_directory
from models.database import query, transaction
from models.keys import api_keys
from tests.support.ingress.application import (
    NOWHERE,
    SMALL,
    Clock,
    EventSetting,
    Serve,
    check,
    check_unavailable,
    configure,
    rate_limit_of,
    tenant,
)
from tests.support.ingress.outages import Silent, answered_within, move_postgres


def test_a_revoked_key_is_refused_within_5_seconds(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    with transaction():
        other = api_keys.create(acme.id, "other")
    assert ingress.track(SMALL, acme.key).status_code == 200
    clock.advance(1)
    with transaction():
        assert api_keys.revoke(acme.id, api_keys.list_for_organization(acme.id)[0].id)
    clock.advance(4.9)
    check(ingress.track(SMALL, acme.key), 401, {"error": "Invalid API key"})
    assert ingress.track(SMALL, other).status_code == 200


def test_using_a_key_does_not_delay_its_revocation(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    with transaction():
        api_keys.revoke(acme.id, api_keys.list_for_organization(acme.id)[0].id)
    for _ in range(5):
        clock.advance(1)
        last = ingress.track(SMALL, acme.key)
    assert last.status_code == 401


def test_a_new_limit_applies_within_5_seconds(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    assert rate_limit_of(ingress.track(SMALL, acme.key))[0] == 10_000
    with transaction():
        query("update organizations set rate_limit = '20/hour'")
    clock.advance(5)
    assert rate_limit_of(ingress.track(SMALL, acme.key))[0] == 20


def test_a_newly_configured_event_is_accepted_after_a_second(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    added = {**SMALL, "event_key": "added"}
    assert ingress.track(SMALL, acme.key).status_code == 200
    assert ingress.track(added, acme.key).status_code == 404
    configure(acme.id, EventSetting("onboarding_complete"), EventSetting("added"))
    clock.advance(1)
    assert ingress.track(added, acme.key).status_code == 200


def test_another_name_of_an_event_is_accepted_after_a_second(serve: Serve, clock: Clock) -> None:
    ingress, acme = serve(), tenant()
    sent = {**SMALL, "event_key": "Onboarding Complete"}
    assert ingress.track(sent, acme.key).status_code == 404
    configure(acme.id, EventSetting("onboarding_complete", called=["Onboarding Complete"]))
    clock.advance(1)
    for _ in range(2):
        assert ingress.track(sent, acme.key).get_json()["event_key"] == "onboarding_complete"
    configure(acme.id, EventSetting("onboarding_complete", False, called=["Onboarding Complete"]))
    clock.advance(5)
    assert ingress.track(sent, acme.key).get_json() == {
        "error": "Event setting is disabled for key: onboarding_complete"
    }


def test_the_first_configured_event_of_an_organization_is_accepted_after_a_second(
    serve: Serve, clock: Clock
) -> None:
    ingress, acme = serve(), tenant(events=())
    assert ingress.track(SMALL, acme.key).status_code == 404
    configure(acme.id, EventSetting("onboarding_complete"))
    clock.advance(1)
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_a_newly_disabled_or_removed_event_is_refused_within_5_seconds(
    serve: Serve, clock: Clock
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    configure(acme.id, EventSetting("onboarding_complete", enabled=False))
    clock.advance(5)
    assert ingress.track(SMALL, acme.key).status_code == 400
    configure(acme.id)
    clock.advance(5)
    assert ingress.track(SMALL, acme.key).status_code == 404


def test_cached_keys_and_events_are_accepted_while_postgresql_is_unavailable(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    move_postgres(settings, NOWHERE)
    for seconds in (0, 0.5, 5, 3_600, 0.9, 0.2):
        clock.advance(seconds)
        assert ingress.track(SMALL, acme.key).status_code == 200
    assert len(ingress.queued_events()) == 7


def test_an_unknown_key_gets_503_while_postgresql_is_unavailable(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    move_postgres(settings, NOWHERE)
    for _ in range(3):
        check_unavailable(ingress.track(SMALL, acme.key))
        check(ingress.track(SMALL), 401, {"error": "API key required"})
        clock.advance(0.7)
    assert ingress.queued_events() == []


def test_a_cached_key_gets_503_while_its_events_cannot_be_read(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track({}, acme.key).status_code == 400
    move_postgres(settings, NOWHERE)
    clock.advance(10)
    check_unavailable(ingress.track(SMALL, acme.key))
    assert ingress.queued_events() == []


def test_the_ingress_recovers_within_a_second_after_postgresql_is_back(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    move_postgres(settings, NOWHERE)
    check_unavailable(ingress.track(SMALL, acme.key))
    move_postgres(settings, settings.database_url)
    clock.advance(1)
    assert ingress.track(SMALL, acme.key).status_code == 200
    assert ingress.track(SMALL, "bzb_wrong").status_code == 401


def test_a_key_revoked_during_an_outage_of_postgresql_is_refused_after_it(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    with transaction():
        api_keys.revoke(acme.id, api_keys.list_for_organization(acme.id)[0].id)
    move_postgres(settings, NOWHERE)
    clock.advance(60)
    assert ingress.track(SMALL, acme.key).status_code == 200
    move_postgres(settings, settings.database_url)
    clock.advance(1)
    assert ingress.track(SMALL, acme.key).status_code == 401


def test_unknown_keys_do_not_evict_valid_ones(
    serve: Serve, clock: Clock, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_directory, "MAX_KEYS", 1)
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    for n in range(5):
        assert ingress.track(SMALL, f"bzb_{n}").status_code == 401
    move_postgres(settings, NOWHERE)
    clock.advance(10)
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_connections_closed_by_postgresql_are_replaced(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme, globex = serve(), tenant("Acme"), tenant("Globex")
    assert ingress.track(SMALL, acme.key).status_code == 200
    other = psycopg2.connect(settings.database_url)
    try:
        other.cursor().execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    finally:
        other.close()
    clock.advance(10)
    assert ingress.track(SMALL, acme.key).status_code == 200
    clock.advance(1)
    assert ingress.track(SMALL, globex.key).status_code == 200


def test_a_postgresql_that_is_too_slow_counts_as_unavailable(
    serve: Serve, clock: Clock, settings: Settings
) -> None:
    ingress, acme, globex = serve(), tenant("Acme"), tenant("Globex")
    assert ingress.track(SMALL, acme.key).status_code == 200
    blocker = psycopg2.connect(settings.database_url)
    try:
        blocker.cursor().execute("lock table api_keys, event_settings in access exclusive mode")
        with answered_within(2):
            check_unavailable(ingress.track(SMALL, globex.key))
        clock.advance(10)
        with answered_within(2):
            assert ingress.track(SMALL, acme.key).status_code == 200
    finally:
        blocker.close()
    clock.advance(1)
    assert ingress.track(SMALL, globex.key).status_code == 200


def test_a_postgresql_that_accepts_connections_and_never_answers_counts_as_unavailable(
    serve: Serve, clock: Clock, settings: Settings, silent_postgres: Silent
) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    move_postgres(settings, silent_postgres.url)
    clock.advance(10)
    with answered_within(5):
        assert ingress.track(SMALL, acme.key).status_code == 200
    assert silent_postgres.connections() > 0
    assert ingress.track(SMALL, acme.key).status_code == 200
    check_unavailable(ingress.track(SMALL, "bzb_unknown"))
    assert silent_postgres.connections() == 0
