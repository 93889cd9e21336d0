"""Refused requests are kept within bounds, for each organization and for all together."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from config.settings import Settings
from queues.refused import requests
from queues.refused.requests import KEPT_FOR, LARGEST_BODY, RefusedRequest, RefusedRequests
from tests.support.ingress.refusals import AT, refusal


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.redis_url) as connected:
        yield connected


@pytest.fixture
def refused(client: redis.Redis) -> RefusedRequests:
    return RefusedRequests(client)


def now() -> datetime:
    return datetime.now(UTC)


def listed(refused: RefusedRequests, organization_id: int = 1) -> list[RefusedRequest]:
    return list(refused.every(organization_id, now()))


def bodies(refused: RefusedRequests, organization_id: int = 1) -> list[bytes]:
    return [request.refusal.body for request in listed(refused, organization_id)]


def counted_bytes(client: redis.Redis) -> dict[str, int]:
    """Return the sizes as they are counted, which have to be those of the lists."""
    sizes = {
        name.decode(): int(size) for name, size in client.hgetall("brazebee:refused:sizes").items()
    }
    total = sizes.pop("all", 0)
    assert total == sum(sizes.values())
    for organization, size in sizes.items():
        entries = client.xrange(f"brazebee:refused:of:{organization}")
        assert size == sum(len(entry[b"r"]) + len(entry[b"b"]) for _, entry in entries)
    return sizes


def test_a_request_is_kept_as_it_was_refused(refused: RefusedRequests) -> None:
    whole = refusal(body='{"a": "ключ <b>"}'.encode(), event_id="e-1", status=404)
    refused.note(1, [whole], AT)
    [kept] = listed(refused)
    assert kept.refusal == whole
    assert not kept.is_cut
    assert refused.find(1, kept.id) == kept
    assert refused.find(2, kept.id) is None
    assert refused.find(1, "nonsense") is None


def test_pages_are_newest_first(refused: RefusedRequests) -> None:
    refused.note(1, [refusal(body=b"%d" % n) for n in range(250)], AT)
    assert bodies(refused) == [b"%d" % n for n in reversed(range(250))]
    newest = refused.page(1, now(), limit=2)
    assert [r.refusal.body for r in newest] == [b"249", b"248"]
    following = refused.page(1, now(), before=newest[-1].id, limit=1)
    assert [r.refusal.body for r in following] == [b"247"]
    assert [r.id for r in refused.after(1, following[0].id)] == [r.id for r in reversed(newest)]


def test_the_number_of_requests_is_bounded(
    refused: RefusedRequests, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_REQUESTS", 5)
    for n in range(0, 30, 3):
        refused.note(1, [refusal(body=b"%d" % i) for i in range(n, n + 3)], AT)
    assert bodies(refused) == [b"29", b"28", b"27", b"26", b"25"]
    assert counted_bytes(client).keys() == {"1"}


def test_the_bytes_of_requests_are_bounded(
    refused: RefusedRequests, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_BYTES", 10_000)
    for n in range(20):
        refused.note(1, [refusal(body=bytes([65 + n]) * 4_000)], AT)
    assert [body[:1] for body in bodies(refused)] == [b"T", b"S"]
    assert 8_000 < counted_bytes(client)["1"] <= 10_000


def test_the_bytes_of_all_organizations_are_bounded(
    refused: RefusedRequests, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_BYTES_OF_ALL", 40_000)
    for organization_id in range(1, 30):
        refused.note(organization_id, [refusal(body=b"x" * 4_000)], AT)
        refused.note(1, [refusal(body=b"y" * 10)], AT)
    sizes = counted_bytes(client)
    assert sum(sizes.values()) + 4_096 * len(sizes) <= 40_000
    assert "1" in sizes, "the list that was added to last stays"
    assert "29" in sizes
    assert "2" not in sizes


def test_a_large_body_is_cut_off_and_says_so(refused: RefusedRequests) -> None:
    refused.note(1, [refusal(body=b"x" * (LARGEST_BODY + 1))], AT)
    [kept] = listed(refused)
    assert kept.is_cut
    assert (len(kept.refusal.body), kept.size) == (LARGEST_BODY, LARGEST_BODY + 1)


def test_long_errors_do_not_count_for_more_than_they_are_worth(refused: RefusedRequests) -> None:
    fault = {"path": ["x" * 5_000], "message": "wrong"}
    refused.note(1, [refusal(details=[fault], error="e" * 9_000, event_key="k" * 9_000)], AT)
    [kept] = listed(refused)
    assert kept.refusal.details == [{"message": "The faults are too long to be kept"}]
    assert len(kept.refusal.error) + len(kept.refusal.event_key or "") <= 600


def test_old_requests_are_forgotten(refused: RefusedRequests, client: redis.Redis) -> None:
    refused.note(1, [refusal()], AT)
    [recent] = listed(refused)
    assert 0 < client.pttl("brazebee:refused:of:1") <= KEPT_FOR / timedelta(milliseconds=1)
    assert not refused.page(1, now() + KEPT_FOR + timedelta(milliseconds=1))
    client.delete("brazebee:refused:of:1", "brazebee:refused:sizes", "brazebee:refused:lists")
    old = round((now() - KEPT_FOR).timestamp() * 1000) - 1
    client.xadd("brazebee:refused:of:1", {"r": b"{}", "b": b"old"}, id=f"{old}-0")
    client.hset("brazebee:refused:sizes", mapping={"1": 5, "all": 5})
    client.zadd("brazebee:refused:lists", {"1": old + 1_000_000})
    refused.note(1, [refusal(body=b"new")], AT)
    assert bodies(refused) == [b"new"]
    assert counted_bytes(client).keys() == {"1"}
    assert recent.id


def test_a_list_that_has_expired_is_not_counted_any_more(
    refused: RefusedRequests, client: redis.Redis
) -> None:
    refused.note(1, [refusal(body=b"x" * 1_000)], AT)
    client.delete("brazebee:refused:of:1")  # as it expires
    client.zadd("brazebee:refused:lists", {"1": 5})
    refused.note(2, [refusal()], AT)
    assert counted_bytes(client).keys() == {"2"}


def test_requests_are_forgotten_by_id_and_all_at_once(
    refused: RefusedRequests, client: redis.Redis
) -> None:
    refused.note(1, [refusal(body=b"%d" % n) for n in range(4)], AT)
    refused.note(2, [refusal()], AT)
    first, second, *_ = listed(refused)
    assert refused.forget(1, [first.id, second.id, "1-1", "x"]) == 2
    assert refused.forget(1, [first.id]) == 0
    assert bodies(refused) == [b"1", b"0"]
    counted_bytes(client)
    assert refused.forget_organization(1) == 2
    assert counted_bytes(client).keys() == {"2"}
    assert refused.forget_organization(1) == 0
    assert [refused.count(1), refused.count(2)] == [0, 1]


def test_nothing_is_kept_while_redis_is_nearly_full(
    refused: RefusedRequests, client: redis.Redis
) -> None:
    for organization_id in (1, 2):
        refused.note(organization_id, [refusal()], AT)
    refused.note(2, [refusal(status=404, event_key="signup")], AT, nearly_full=True)
    assert counted_bytes(client).keys() == {"2"}, "the oldest list makes room"
    assert refused.count(2) == 1
    assert client.hget("brazebee:unknown:2", "signup")


def test_without_redis_noting_is_logged_and_nothing_is_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with redis.Redis.from_url("unix:///nowhere/redis.sock?db=0") as client:
        RefusedRequests(client).note(1, [refusal()], AT)
    assert "1 refused requests were not kept" in caplog.text
