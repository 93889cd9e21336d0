"""A run fails if the numbers of accepted and stored events differ."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bench.product.brazebee_up import Product
from bench.product.stage import EventsLost, Organization, Stage


def stage(stored: list[tuple[int, int]], rejected: int = 0) -> Stage:
    def query(sql: str) -> list[tuple[Any, ...]]:
        return [(rejected,)] if "rejected_events" in sql else stored

    servers = {"REDIS_URL": "unix:///nowhere?db=0"}
    product = cast("Product", SimpleNamespace(servers=servers, query=query))
    staged = Stage(product, cast("Any", None))
    staged.organizations = [Organization("one", 1, "key-1"), Organization("two", 2, "key-2")]
    staged.accepted.update({1: 10, 2: 20})
    return staged


def test_equal_numbers_pass() -> None:
    stage([(1, 10), (2, 20)]).check_nothing_lost("a run")


@pytest.mark.parametrize("stored", [[(1, 10), (2, 19)], [(1, 10), (2, 21)], [(1, 10)]])
def test_different_numbers_are_reported(stored: list[tuple[int, int]]) -> None:
    with pytest.raises(EventsLost, match=r"After a run: two: 20 accepted, (19|21|0) stored"):
        stage(stored).check_nothing_lost("a run")


def test_rejected_events_are_reported() -> None:
    with pytest.raises(EventsLost, match="1 in rejected_events"):
        stage([(1, 10), (2, 20)], rejected=1).check_nothing_lost("a run")
