"""A history chart: the score as a step line, above a band of statuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from dashboard.presentation.charts.axes import Mark
from services.time_zones import start_of_day

LEFT, RIGHT, TOP = 34, 12, 8
SCORE_HEIGHT = 112
BAND_TOP, BAND_HEIGHT = 134, 14
HEIGHT = 176

MIN_SPAN_WIDTH = 0.5
"""Drawing units: a narrower status span would be invisible, and is not drawn."""

LABEL_WIDTH = 88
"""Drawing units: the width of a day's label with the space beside it."""


@dataclass(frozen=True)
class Step:
    """The status and score from a time on; `score` is from 0 to 100, or None."""

    at: datetime
    status: str
    score: int | None


@dataclass(frozen=True)
class StatusSpan:
    """A status in the band: its coordinates, and the period in which it was in effect."""

    status: str
    left: float
    width: float
    since: datetime
    until: datetime


@dataclass(frozen=True)
class StepsChart:
    """The whole drawing, in drawing units; `lines` and `areas` are SVG paths."""

    width: int
    height: int
    left: int
    right: int
    lines: Sequence[str]
    areas: Sequence[str]
    status_spans: Sequence[StatusSpan]
    days: Sequence[Mark]
    scores: Sequence[Mark]
    band_top: int
    band_height: int


def draw(
    steps: Sequence[Step], since: datetime, until: datetime, *, width: int, zone: ZoneInfo
) -> StepsChart:
    """Draw the steps, oldest first, from `since` to `until`; `width` is in drawing units.

    The days are those of `zone`.

    The last step before `since` is in effect at `since`; without one, nothing is drawn before the
    first step.
    """
    visible = clip(steps, since, until)
    right = width - RIGHT
    duration = (until - since) / timedelta(microseconds=1)

    def x_at(at: datetime) -> float:
        return round(LEFT + (at - since) / timedelta(microseconds=1) / duration * (right - LEFT), 1)

    runs = _score_runs(visible, until)
    lines, areas = [], []
    for run in runs:
        points = [(x_at(at), _score_y(score)) for at, score in run]
        path = f"M{points[0][0]} {points[0][1]}"
        for (_, before), (x, y) in pairwise(points):
            path += f"H{x}" if y == before else f"H{x}V{y}"
        lines.append(path)
        base = TOP + SCORE_HEIGHT
        areas.append(f"{path}V{base}H{points[0][0]}Z")
    return StepsChart(
        width=width,
        height=HEIGHT,
        left=LEFT,
        right=right,
        lines=lines,
        areas=areas,
        status_spans=[
            StatusSpan(status, x_at(start), round(x_at(end) - x_at(start), 1), start, end)
            for status, start, end in _status_runs(visible, until)
            if x_at(end) - x_at(start) >= MIN_SPAN_WIDTH
        ],
        days=[
            Mark(x_at(start_of_day(day, zone)), f"{day.day} {day:%b}")
            for day in _days(since, until, width, zone)
        ],
        scores=[Mark(_score_y(score), str(score)) for score in (100, 50, 0)],
        band_top=BAND_TOP,
        band_height=BAND_HEIGHT,
    )


def clip(steps: Sequence[Step], since: datetime, until: datetime) -> list[Step]:
    """Return the steps of a period; the first is the one in effect at its start."""
    before = [step for step in steps if step.at <= since]
    within = [step for step in steps if since < step.at <= until]
    initial = [Step(since, before[-1].status, before[-1].score)] if before else []
    return initial + within


def _score_y(score: int) -> float:
    return round(TOP + SCORE_HEIGHT * (100 - score) / 100, 1)


def _score_runs(steps: Sequence[Step], until: datetime) -> list[list[tuple[datetime, int]]]:
    """Return the periods with a score: each change of the score, and the end of the period."""
    runs: list[list[tuple[datetime, int]]] = []
    run: list[tuple[datetime, int]] = []
    for step in steps:
        if step.score is not None:
            run.append((step.at, step.score))
        elif run:
            runs.append([*run, (step.at, run[-1][1])])
            run = []
    if run:
        runs.append([*run, (until, run[-1][1])])
    return runs


def _status_runs(steps: Sequence[Step], until: datetime) -> list[tuple[str, datetime, datetime]]:
    runs: list[tuple[str, datetime, datetime]] = []
    for step in steps:
        if runs and runs[-1][0] == step.status:
            continue
        if runs:
            runs[-1] = (*runs[-1][:2], step.at)
        runs.append((step.status, step.at, until))
    return runs


def _days(since: datetime, until: datetime, width: int, zone: ZoneInfo) -> list[date]:
    """Return days that begin in the period, at equal intervals, as many as there is room for."""
    labels = max((width - LEFT - RIGHT) // LABEL_WIDTH, 1)
    interval = timedelta(days=max(-(-(until - since).days // labels), 1))
    days = []
    day = since.astimezone(zone).date() + timedelta(days=1)
    while start_of_day(day, zone) <= until:
        days.append(day)
        day += interval
    return days
