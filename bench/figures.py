"""Measured figures, with ratios to ceilings and with targets, as tables and as JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate


@dataclass(frozen=True)
class Figure:
    """A value. `ratio` is its ratio to `against`; the ratio, or else the value, has a target."""

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without a target."""
        measured = self.value if self.ratio is None else self.ratio
        if self.target is None:
            return None
        return measured <= self.target if self.at_most else measured >= self.target


def show(title: str, figures: list[Figure]) -> None:
    """Print a table."""
    rows = [
        (
            figure.name,
            f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.2f}",
            figure.unit,
            figure.against,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.target is None else f"{'≤' if figure.at_most else '≥'} {figure.target:g}",
            {None: "", True: "yes", False: "NO"}[figure.met],
        )
        for figure in figures
    ]
    headers = ("", "value", "unit", "against", "ratio", "target", "met")
    click.echo(f"\n{title}:\n")
    click.echo(
        tabulate(rows, headers=headers, disable_numparse=True,
                 colalign=("left", "right", "left", "left", "right", "right", "left"))
    )  # fmt: skip


def write(file: Path, figures: list[Figure], **others: list[dict[str, Any]]) -> None:
    """Write figures as JSON; other lists of measurements get a key each."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [asdict(figure) | {"met": figure.met} for figure in figures]
    file.write_text(json.dumps({"figures": rows, **others} if others else rows, indent=2) + "\n")
