"""A history as a chart: a score that stays until it changes, above a band of statuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from dashboard.presentation.charts.marks import Mark

LEFT, RIGHT, TOP = 34, 12, 8
SCORE_HEIGHT = 112
BAND_TOP, BAND_HEIGHT = 134, 14
HEIGHT = 176

THINNEST = 0.5
"""Units of the drawing: what lasted a shorter stretch of it is not seen, and not drawn."""

LABEL_WIDTH = 88
"""Units of the drawing that the label of a day needs with the space beside it."""


@dataclass(frozen=True)
class Step:
    """What holds from an instant on; `score` is from 0 to 100, None where there is none."""

    at: datetime
    status: str
    score: int | None


@dataclass(frozen=True)
class Stretch:
    """A status in the band: from where to where it is drawn, and when that was."""

    status: str
    left: float
    width: float
    since: datetime
    until: datetime


@dataclass(frozen=True)
class StepsChart:
    """All that is drawn, in units of the drawing; `lines` and `areas` are paths of SVG."""

    width: int
    height: int
    left: int
    right: int
    lines: Sequence[str]
    areas: Sequence[str]
    stretches: Sequence[Stretch]
    days: Sequence[Mark]
    scores: Sequence[Mark]
    band_top: int
    band_height: int


def draw(steps: Sequence[Step], since: datetime, until: datetime, *, width: int) -> StepsChart:
    """Draw the steps, oldest first, of the time from `since` to `until`; `width` in units.

    What held at `since` is the last step before it; without one nothing is drawn until the first.
    """
    within = clipped(steps, since, until)
    right = width - RIGHT
    lasting = (until - since) / timedelta(microseconds=1)

    def across(at: datetime) -> float:
        return round(LEFT + (at - since) / timedelta(microseconds=1) / lasting * (right - LEFT), 1)

    runs = _score_runs(within, until)
    lines, areas = [], []
    for run in runs:
        points = [(across(at), _height(score)) for at, score in run]
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
        stretches=[
            Stretch(status, across(start), round(across(end) - across(start), 1), start, end)
            for status, start, end in _status_runs(within, until)
            if across(end) - across(start) >= THINNEST
        ],
        days=[Mark(across(day), f"{day.day} {day:%b}") for day in _days(since, until, width)],
        scores=[Mark(_height(score), str(score)) for score in (100, 50, 0)],
        band_top=BAND_TOP,
        band_height=BAND_HEIGHT,
    )


def clipped(steps: Sequence[Step], since: datetime, until: datetime) -> list[Step]:
    """The steps of a stretch of time, the first of them what held when it began."""
    before = [step for step in steps if step.at <= since]
    within = [step for step in steps if since < step.at <= until]
    held = [Step(since, before[-1].status, before[-1].score)] if before else []
    return held + within


def _height(score: int) -> float:
    return round(TOP + SCORE_HEIGHT * (100 - score) / 100, 1)


def _score_runs(steps: Sequence[Step], until: datetime) -> list[list[tuple[datetime, int]]]:
    """Stretches in which there is a score: each of its changes, and when it ended."""
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


def _days(since: datetime, until: datetime, width: int) -> list[datetime]:
    """Midnights at which there is room for a label, the same number of days apart."""
    number = max((width - LEFT - RIGHT) // LABEL_WIDTH, 1)
    apart = timedelta(days=max(-(-(until - since).days // number), 1))
    first = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = []
    day = first + timedelta(days=1)
    while day <= until:
        days.append(day)
        day += apart
    return days
