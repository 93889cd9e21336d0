"""What was measured: figures, each beside its ceiling and target where it has them."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate


@dataclass(frozen=True)
class Figure:
    """A value; `ratio` is of it to what `against` names, which has to be `target` or better."""

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    target: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if there is none."""
        measured = self.value if self.ratio is None else self.ratio
        if self.target is None:
            return None
        return measured <= self.target if self.at_most else measured >= self.target


def show(title: str, figures: list[Figure]) -> None:
    """Print a table."""
    rows = [
        (
            one.name,
            f"{one.value:,.0f}" if one.value >= 100 else f"{one.value:,.2f}",
            one.unit,
            one.against,
            "" if one.ratio is None else f"{one.ratio:.2f}",
            "" if one.target is None else f"{'≤' if one.at_most else '≥'} {one.target:g}",
            {None: "", True: "yes", False: "NO"}[one.met],
        )
        for one in figures
    ]
    headers = ("", "value", "unit", "against", "ratio", "target", "met")
    click.echo(f"\n{title}:\n")
    click.echo(
        tabulate(rows, headers=headers, disable_numparse=True,
                 colalign=("left", "right", "left", "left", "right", "right", "left"))
    )  # fmt: skip


def write(file: Path, figures: list[Figure], **more: list[dict[str, Any]]) -> None:
    """Write figures as JSON; with `more` lists of what was measured, each under its name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    told = [asdict(one) | {"met": one.met} for one in figures]
    file.write_text(json.dumps({"figures": told, **more} if more else told, indent=2) + "\n")
