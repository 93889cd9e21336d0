"""The ingress while Redis is unavailable, silent or full."""

import pytest

from ingress.event.valid_event import LARGEST_EVENT
from tests.support.ingress.application import (
    NO_REDIS,
    SMALL,
    Serve,
    check,
    check_unavailable,
    memory_used,
    rate_limit_of,
    tenant,
)
from tests.support.ingress.outages import TOO_LARGE, Silent, answered_within


@pytest.fixture(params=["queue_url", "queue_url limits_url"])
def urls(request: pytest.FixtureRequest) -> list[str]:
    return str(request.param).split()


@pytest.fixture(params=["dead", "silent"])
def unavailable(
    request: pytest.FixtureRequest, silent_redis: Silent, urls: list[str]
) -> dict[str, str]:
    return dict.fromkeys(urls, NO_REDIS if request.param == "dead" else silent_redis.url)


def test_without_redis_an_event_gets_503_soon_and_is_not_queued(
    serve: Serve, unavailable: dict[str, str]
) -> None:
    ingress, acme = serve(**unavailable), tenant()
    with answered_within(2):
        check_unavailable(ingress.track(SMALL, acme.key))
    assert ingress.queued_events() == []


def test_a_request_waits_only_once_for_a_redis_that_does_not_answer(
    serve: Serve, silent_redis: Silent
) -> None:
    """Each wait takes a quarter of a second, and the response is due within half a second."""
    ingress, acme = serve(queue_url=silent_redis.url, limits_url=silent_redis.url), tenant()
    check_unavailable(ingress.track(SMALL, acme.key))
    assert silent_redis.connections() == 1


@pytest.mark.parametrize("urls", [["limits_url"]])
def test_without_the_redis_of_address_limits_events_are_accepted_and_keys_cannot_be_guessed(
    serve: Serve, unavailable: dict[str, str]
) -> None:
    ingress, acme = serve(**unavailable), tenant()
    with answered_within(2):
        assert ingress.track(SMALL, acme.key).status_code == 200
        check_unavailable(ingress.track(SMALL, "bzb_guess"))
    assert len(ingress.queued_events()) == 1


def test_without_redis_every_other_response_still_has_its_headers(
    serve: Serve, unavailable: dict[str, str]
) -> None:
    ingress, acme = serve(**unavailable), tenant()
    with answered_within(4):
        large = ingress.track(b" " * (LARGEST_EVENT + 1), acme.key)
        text = ingress.track(SMALL, acme.key, headers={"Content-Type": "text/plain"})
        check(large, 413, TOO_LARGE)
        assert text.status_code == 415
        rate_limit_of(text)
        check(ingress.get("/nowhere"), 404, {"error": "Not found"})
        check(ingress.get("/v1/track"), 405, {"error": "Method not allowed"})


def test_while_redis_is_full_an_event_gets_503_and_is_not_queued(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    assert ingress.track(SMALL, acme.key).status_code == 200
    ingress.queue.config_set("maxmemory", 1)
    try:
        check_unavailable(ingress.track(SMALL, acme.key))
    finally:
        ingress.queue.config_set("maxmemory", 0)
    assert len(ingress.queued_events()) == 1
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_while_redis_is_nearly_full_only_valid_events_get_503(serve: Serve) -> None:
    acme = tenant(rate_limit="4/hour")
    ingress = serve()
    with memory_used(ingress.queue, 0.87):
        refused = ingress.track(SMALL, acme.key)
        check_unavailable(refused)
        assert rate_limit_of(refused)[:2] == (4, 3)
        assert ingress.track(b"{", acme.key).status_code == 400
        check_unavailable(ingress.batch([SMALL, {}], acme.key))
        assert ingress.batch([{}], acme.key).status_code == 200
        assert ingress.track(SMALL, acme.key).status_code == 429
    assert ingress.queued_events() == []
