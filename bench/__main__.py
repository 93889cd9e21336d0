"""`python -m bench rules`: measures judging and the clock, prints tables and JSON."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from tabulate import tabulate

from bench.delivering import measure_delivering
from bench.figures import show, write
from bench.growth import Size, measure_growth
from bench.ingest import QUICK, Sizes, measure_ingest
from bench.judging import measure_judging
from bench.pages import measure_pages
from bench.product.servers import embedded_servers
from bench.product.stage import EventsLost
from bench.replaying import measure_replaying
from bench.ticking import measure_ticking
from models.database import transaction
from models.organizations import organizations


@click.group()
def main() -> None:
    """Measure, as ratios within one run."""


@main.command("ingest")
@click.option("--quick", is_flag=True, help="A minute and a half, for a first impression.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures there.")
def ingest(quick: bool, json_file: Path | None) -> None:  # noqa: FBT001 -- click hands it by name
    """The way of an event, beside its ceilings and the straightforward way."""
    with _lost_is_failed():
        figures = measure_ingest(QUICK if quick else Sizes())
    show("The way of an event; ratios hold within this run", figures)
    if json_file:
        write(json_file, figures)


@main.command("growth")
@click.option("--companies", default=(1_000, 1_000_000), nargs=2, type=int, show_default=True)
@click.option("--events", default=(10_000, 10_000_000), nargs=2, type=int, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="Of posting, in each round.")
@click.option("--rounds", default=6, show_default=True, help="Of which the median is told.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures there.")
def growth(
    companies: tuple[int, int],
    events: tuple[int, int],
    seconds: float,
    rounds: int,
    json_file: Path | None,
) -> None:
    """The same with few and with many companies and events; a quarter of an hour or more."""
    small, large = (Size(*numbers) for numbers in zip(companies, events, strict=True))
    with _lost_is_failed():
        figures = measure_growth(small, large, seconds=seconds, rounds=rounds)
    show("By what is there already; ratios hold within this run", figures)
    if json_file:
        write(json_file, figures)


@main.command("rules")
@click.option("--full", is_flag=True, help="Up to 1,000,000 companies; takes a quarter of an hour.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures there.")
def rules(full: bool, json_file: Path | None) -> None:  # noqa: FBT001 -- click hands it by name
    """Judging one company by its events, and the clock by the number of companies."""
    events = [100, 10_000, 1_000_000]
    companies = [10_000, 100_000, 1_000_000] if full else [10_000, 50_000]
    now = datetime.now(UTC)
    with embedded_servers() as settings:
        with transaction():
            one, many, past = (organizations.create(name).id for name in ("one", "many", "past"))
        click.echo("Filling events ...", err=True)
        judging = measure_judging(one, events, now)
        _print("Milliseconds to judge one flag of one company", judging)
        click.echo("Filling a past ...", err=True)
        replaying = measure_replaying(settings, past, now)
        _print("A backtest over 90 days of 1,000 companies and 500,000 events", replaying)
        click.echo("Filling companies ...", err=True)
        ticking = measure_ticking(settings, many, companies, now)
        _print(f"Milliseconds by the number of companies, {10} flags each", ticking)
    if json_file:
        json_file.write_text(
            json.dumps({"judging": judging, "replaying": replaying, "ticking": ticking}, indent=2)
        )


@main.command("pages")
@click.option("--companies", default=100_000, show_default=True)
@click.option("--events", default=5_000_000, show_default=True)
@click.option("--repeats", default=40, show_default=True, help="Of each page and read.")
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder for the database, which the next run finds filled.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures there.")
def pages(
    companies: int, events: int, repeats: int, keep: Path | None, json_file: Path | None
) -> None:
    """Every page of the dashboard, and what the pages read, one after the other."""
    now = datetime.now(UTC)
    costs, figures = measure_pages(
        companies=companies, events=events, repeats=repeats, now=now, keep=keep
    )
    told = [asdict(cost) for cost in costs]
    _print("Milliseconds of each page, and of CPU in Python and in PostgreSQL", told)
    show("What they read", figures)
    if json_file:
        write(json_file, figures, pages=told)


@main.command("webhooks")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures there.")
def webhooks(json_file: Path | None) -> None:
    """From a change's commit to its webhook, and how many a process sends."""
    delivering = measure_delivering()
    _print("Webhooks to a fast receiver, one `deliver` process", delivering)
    if json_file:
        json_file.write_text(json.dumps({"delivering": delivering}, indent=2))


@contextmanager
def _lost_is_failed() -> Iterator[None]:
    """End with code 1 and the difference, should events be lost."""
    try:
        yield
    except EventsLost as error:
        raise click.ClickException(str(error)) from None


def _print(title: str, rows: list[dict[str, Any]]) -> None:
    click.echo(f"\n{title}:\n")
    names = list(dict.fromkeys(name for row in rows for name in row))
    headers = [name.replace("_", " ") for name in names]
    cells = [[row.get(name) for name in names] for row in rows]
    click.echo(tabulate(cells, headers=headers, floatfmt=",.2f", intfmt=","))


if __name__ == "__main__":
    sys.exit(main())
