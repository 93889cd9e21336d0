"""Each company is in the band of the worst threshold that its count reaches."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dashboard.pages.insights.bands import bands, bins
from services.insights.answers import MAX_NUMBER
from services.insights.thresholds import Threshold

FEW = [
    Threshold("Critical", "No activity for 7 days", 1, is_upper_bound=True),
    Threshold("At Risk", "Less than 3 times in 7 days", 3, is_upper_bound=True),
]
MANY = [
    Threshold("Critical", "At least 6 times in 7 days", 6, is_upper_bound=False),
    Threshold("At Risk", "At least 3 times in 7 days", 3, is_upper_bound=False),
]

distributions = st.dictionaries(st.integers(0, MAX_NUMBER), st.integers(1, 9), max_size=30).map(
    lambda companies: sorted(companies.items())
)
thresholds = st.lists(
    st.builds(Threshold, st.sampled_from(["At Risk", "Critical"]), st.just(""),
              st.integers(0, 2 * MAX_NUMBER), st.booleans()),
    min_size=1, max_size=3,
)  # fmt: skip


def described_bands(
    distribution: list[tuple[int, int]], thresholds: list[Threshold]
) -> list[tuple[str | None, int, int | None]]:
    return [
        (band.status, band.companies, band.one_away) for band in bands(distribution, thresholds)
    ]


def test_few_events_reach_the_worst_upper_bound() -> None:
    assert described_bands([(0, 4), (1, 2), (2, 8), (3, 16), (9, 32)], FEW) == [
        ("Critical", 4, 2),
        ("At Risk", 10, 16),
        (None, 48, None),
    ]


def test_many_events_reach_the_worst_lower_bound() -> None:
    assert described_bands([(0, 1), (2, 2), (3, 4), (5, 8), (6, 16), (7, 32)], MANY) == [
        ("Critical", 48, 8),
        ("At Risk", 12, 2),
        (None, 3, None),
    ]


def test_the_number_one_away_is_unknown_at_the_highest_count() -> None:
    far = [Threshold("At Risk", "", MAX_NUMBER, is_upper_bound=True)]
    assert described_bands([(MAX_NUMBER, 5)], far)[0] == ("At Risk", 0, None)


def test_bins_are_single_counts_for_low_thresholds_and_end_at_thresholds() -> None:
    assert [step.label for step in bins([(0, 1)], FEW)] == [*map(str, range(10)), "10+"]
    high = [Threshold("At Risk", "", 50, is_upper_bound=True)]
    steps = bins([(0, 1), (49, 2), (50, 4), (700, 8)], high)
    assert [step.companies for step in steps if step.status] == [1, *[0] * 8, 2]
    assert steps[-1].label == "100+"
    assert steps[-1].companies == 8


@given(distributions, thresholds)
def test_every_company_is_in_one_band_and_one_bin(
    distribution: list[tuple[int, int]], thresholds: list[Threshold]
) -> None:
    companies = sum(number for _, number in distribution)
    assert sum(band.companies for band in bands(distribution, thresholds)) == companies
    steps = bins(distribution, thresholds)
    assert sum(step.companies for step in steps) == companies
    assert steps[0].low == 0
    for before, after in pairwise(steps):
        assert before.high == after.low - 1
