import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.lanes.lane import PARTITIONS, UNRESOLVED, Lane, partition_of


@given(st.integers(1, 2**63 - 1), st.text(max_size=200))
def test_a_lane_can_be_read_from_its_name(organization_id: int, company: str) -> None:
    partition = Lane.of_company(organization_id, company)
    assert Lane.named(partition.name) == partition
    own = partition._replace(company=company)
    assert Lane.named(own.name) == own


@pytest.mark.parametrize(
    ("company", "partition"), [("company_123", 0), ("acme", 1), ("", 1), ("é😀", 3), ("7", 3)]
)
def test_the_partition_of_a_company_never_changes(company: str, partition: int) -> None:
    assert partition_of(company) == partition


def test_companies_are_spread_evenly() -> None:
    counts = [0] * PARTITIONS
    for number in range(4_000):
        counts[partition_of(f"company_{number}")] += 1
    assert max(counts) - min(counts) < 200


def test_what_names_no_company_has_a_lane_beside_the_partitions() -> None:
    lane = Lane.of_company(7, None)
    assert (lane, lane.name) == (Lane(7, UNRESOLVED), "7:4")
    assert Lane.named("7:4") == lane
    assert UNRESOLVED not in range(PARTITIONS)
