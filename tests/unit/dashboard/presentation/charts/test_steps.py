"""A history is drawn within its frame, with the status and score of each time."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from dashboard.presentation.charts import steps as charts
from dashboard.presentation.charts.steps import LEFT, RIGHT, SCORE_HEIGHT, TOP, Step, clip

END = datetime(2026, 1, 31, tzinfo=UTC)
BEGINNING = END - timedelta(days=30)

draw = partial(charts.draw, zone=ZoneInfo("UTC"))

offsets = st.timedeltas(min_value=timedelta(days=-40), max_value=timedelta(days=30))
histories = st.lists(
    st.builds(
        lambda offset, status, score: Step(BEGINNING + offset, status, score),
        offsets,
        st.sampled_from(["Healthy", "At Risk", "Critical"]),
        st.none() | st.integers(0, 100),
    ),
    max_size=30,
).map(lambda steps: sorted(steps, key=lambda step: step.at))


def day(number: float) -> datetime:
    return BEGINNING + timedelta(days=number)


def test_a_step_is_drawn_at_its_time_and_score() -> None:
    chart = draw(
        [Step(day(-5), "Healthy", 100), Step(day(15), "At Risk", 50)], BEGINNING, END, width=346
    )
    assert chart.lines == ["M34.0 8.0H184.0V64.0H334.0"]
    assert chart.areas == ["M34.0 8.0H184.0V64.0H334.0V120H34.0Z"]
    assert [(s.status, s.left, s.width) for s in chart.status_spans] == [
        ("Healthy", 34.0, 150.0),
        ("At Risk", 184.0, 150.0),
    ]


def test_without_a_score_there_is_no_line() -> None:
    chart = draw(
        [
            Step(day(0), "Healthy", 100),
            Step(day(10), "Healthy", None),
            Step(day(20), "Healthy", 75),
        ],
        BEGINNING,
        END,
        width=346,
    )
    assert chart.lines == ["M34.0 8.0H134.0", "M234.0 36.0H334.0"]
    assert len(chart.status_spans) == 1


def test_without_steps_nothing_is_drawn() -> None:
    chart = draw([], BEGINNING, END, width=346)
    assert (chart.lines, chart.areas, chart.status_spans) == ([], [], [])


def test_as_many_days_are_labelled_as_there_is_room_for() -> None:
    wide, narrow = (draw([], BEGINNING, END, width=width).days for width in (920, 330))
    assert [mark.text for mark in narrow] == ["2 Jan", "12 Jan", "22 Jan"]
    assert [mark.text for mark in wide][:3] == ["2 Jan", "6 Jan", "10 Jan"]


def test_days_begin_at_midnight_of_the_readers_zone_over_a_change_of_clocks() -> None:
    since = datetime(2026, 3, 27, tzinfo=UTC)
    end = since + timedelta(days=4)
    width = LEFT + RIGHT + 4 * 24 * 5
    days = charts.draw([], since, end, width=width, zone=ZoneInfo("Europe/Berlin")).days
    hours = [(mark.text, (mark.at - LEFT) / 5) for mark in days]
    assert hours == [("28 Mar", 23), ("29 Mar", 47), ("30 Mar", 70), ("31 Mar", 94)]


@given(histories)
def test_everything_stays_within_the_frame_and_status_spans_do_not_overlap(
    steps: list[Step],
) -> None:
    chart = draw(steps, BEGINNING, END, width=400)
    for path in [*chart.lines, *chart.areas]:
        for x in re.findall(r"[MH]([-\d.]+)", path):
            assert LEFT <= float(x) <= 400 - RIGHT
        for y in re.findall(r"V([-\d.]+)", path):
            assert TOP <= float(y) <= TOP + SCORE_HEIGHT
    drawn = chart.status_spans
    assert all(span.until <= following.since for span, following in pairwise(drawn))
    if drawn:
        assert drawn[-1].left + drawn[-1].width <= 400 - RIGHT + 0.1


@given(histories, offsets)
def test_clipping_keeps_the_step_in_effect_at_each_time(
    steps: list[Step], offset: timedelta
) -> None:
    at = BEGINNING + abs(offset) % timedelta(days=30)
    before = [step for step in steps if step.at <= at]
    after = [step for step in clip(steps, BEGINNING, END) if step.at <= at]
    assert [(s.status, s.score) for s in before[-1:]] == [(s.status, s.score) for s in after[-1:]]
