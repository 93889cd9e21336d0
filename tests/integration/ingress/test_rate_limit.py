"""The rate limit of organizations and addresses."""

import time
from concurrent.futures import ThreadPoolExecutor

from ingress.event.valid_event import LARGEST_EVENT
from tests.support.ingress.application import (
    SMALL,
    Ingress,
    Serve,
    check,
    error_of,
    rate_limit_of,
    tenant,
)


def test_the_limit_is_10000_an_hour_and_counts_down(serve: Serve) -> None:
    ingress, acme = serve(), tenant()
    first, second = (rate_limit_of(ingress.track(SMALL, acme.key)) for _ in range(2))
    assert first[:2] == (10_000, 9_999)
    assert second[:2] == (10_000, 9_998)
    assert 3_590 < first[2] - time.time() <= 3_601
    assert abs(first[2] - second[2]) <= 1


def test_requests_beyond_the_limit_get_429_until_the_window_ends(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="2/second")
    answers = [ingress.track(SMALL, acme.key) for _ in range(3)]
    refused = answers[-1]
    assert [response.status_code for response in answers] == [200, 200, 429]
    message = "At most 2 requests in a window; see Retry-After"
    check(refused, 429, {"error": "Rate limit exceeded", "details": [{"message": message}]})
    assert rate_limit_of(refused)[:2] == (2, 0)
    assert len(ingress.queued_events()) == 2
    time.sleep(int(refused.headers["Retry-After"]) + 0.05)
    assert ingress.track(SMALL, acme.key).status_code == 200


def test_retry_after_is_the_time_until_the_reset(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="1/hour")
    assert rate_limit_of(ingress.track(SMALL, acme.key))[:2] == (1, 0)
    refused = ingress.track(SMALL, acme.key)
    assert refused.status_code == 429
    wait = int(refused.headers["Retry-After"])
    assert 3_590 < wait <= 3_601
    assert abs(time.time() + wait - rate_limit_of(refused)[2]) <= 2


def test_every_request_with_a_valid_key_counts_for_its_organization(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="9/hour")
    bodies = [SMALL, b"{", {}, {**SMALL, "event_key": "unknown"}]
    remaining = [rate_limit_of(ingress.track(body, acme.key))[1] for body in bodies]
    assert remaining == [8, 7, 6, 5]


def test_concurrent_requests_do_not_exceed_the_limit(serve: Serve) -> None:
    ingress, acme = serve(), tenant(rate_limit="10/hour")
    with ThreadPoolExecutor(8) as threads:
        statuses = list(
            threads.map(lambda _: ingress.track(SMALL, acme.key).status_code, range(40))
        )
    assert sorted(statuses) == [200] * 10 + [429] * 30
    assert len(ingress.queued_events()) == 10


def test_requests_without_a_valid_key_share_a_limit_by_address(serve: Serve) -> None:
    ingress, acme = serve(rate_limit="3/hour"), tenant()
    remaining = [
        rate_limit_of(ingress.track(SMALL))[:2],
        rate_limit_of(ingress.track(SMALL, "bzb_guess1"))[:2],
        rate_limit_of(ingress.track(SMALL, "bzb_guess2"))[:2],
    ]
    assert remaining == [(3, 2), (3, 1), (3, 0)]
    for refused in (ingress.track(SMALL, "bzb_guess3"), ingress.track(SMALL)):
        assert error_of(refused) == (429, "Rate limit exceeded")
        assert rate_limit_of(refused)[:2] == (3, 0)
        assert 3_590 < int(refused.headers["Retry-After"]) <= 3_601
    assert rate_limit_of(ingress.track(SMALL, acme.key))[:2] == (3, 2)
    elsewhere = ingress.track(SMALL, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert elsewhere.status_code == 401
    assert rate_limit_of(elsewhere)[:2] == (3, 2)


def test_the_addresses_of_one_ipv6_network_count_together(serve: Serve) -> None:
    ingress = serve(rate_limit="9/hour")

    def remaining(address: str) -> int:
        response = ingress.track(SMALL, environ_overrides={"REMOTE_ADDR": address})
        return rate_limit_of(response)[1]

    assert [remaining(f"2001:db8::{n}") for n in range(1, 4)] == [8, 7, 6]
    assert remaining("2001:db8:0:1::1") == 8


def test_requests_refused_before_their_key_is_checked_count_for_the_address(
    serve: Serve,
) -> None:
    ingress, acme = serve(rate_limit="9/hour"), tenant()
    large = b" " * (LARGEST_EVENT + 1)
    answers = [
        ingress.track(large, acme.key),
        ingress.track(SMALL, acme.key, headers={"Content-Type": "text/plain"}),
        ingress.get("/v1/track"),
        ingress.get("/nowhere"),
        ingress.track(SMALL),
    ]
    assert [response.status_code for response in answers] == [413, 415, 405, 404, 401]
    assert [rate_limit_of(response)[1] for response in answers] == [8, 7, 6, 5, 4]


def test_a_forwarded_address_is_used_only_behind_trusted_proxies(serve: Serve) -> None:
    direct, proxied = serve(rate_limit="9/hour"), serve(rate_limit="9/hour", trusted_proxies=1)

    def remaining(ingress: Ingress, forwarded_for: str) -> int:
        response = ingress.track(SMALL, headers={"X-Forwarded-For": forwarded_for})
        return rate_limit_of(response)[1]

    assert [remaining(direct, f"192.0.2.{n}") for n in range(3)] == [8, 7, 6]
    assert [remaining(proxied, f"192.0.2.{n}") for n in range(3)] == [8, 8, 8]
    assert remaining(proxied, "203.0.113.9, 192.0.2.0") == 7
