"""`python -m bench`: runs benchmarks, prints tables and writes JSON."""

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

from bench.backtest import measure_backtest
from bench.clock import FLAGS, measure_clock
from bench.figures import show, write
from bench.growth import Size, measure_growth
from bench.imports import measure_imports
from bench.ingest import QUICK, Sizes, measure_ingest
from bench.judging import measure_judging
from bench.pages import measure_pages
from bench.product.servers import embedded_servers
from bench.product.stage import EventsLost
from bench.webhooks.deliveries import measure_deliveries
from bench.webhooks.hanging_endpoints import measure_hanging
from models.database import transaction
from models.organizations import organizations


@click.group()
def main() -> None:
    """Run benchmarks; compare their figures within one run only."""


@main.command("ingest")
@click.option("--quick", is_flag=True, help="Take two minutes, for a first impression.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def ingest(quick: bool, json_file: Path | None) -> None:  # noqa: FBT001 -- click passes it by name
    """The path of an event, with its ceilings and a straightforward implementation."""
    with _failing_on_lost_events():
        figures = measure_ingest(QUICK if quick else Sizes())
    show("The path of an event; ratios are within this run", figures)
    if json_file:
        write(json_file, figures)


@main.command("growth")
@click.option("--companies", default=(1_000, 1_000_000), nargs=2, type=int, show_default=True)
@click.option("--events", default=(10_000, 10_000_000), nargs=2, type=int, show_default=True)
@click.option("--seconds", default=5.0, show_default=True, help="Seconds of posting in each round.")
@click.option(
    "--rounds", default=6, show_default=True, help="Number of rounds; the median is printed."
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def growth(
    companies: tuple[int, int],
    events: tuple[int, int],
    seconds: float,
    rounds: int,
    json_file: Path | None,
) -> None:
    """Ingress and workers with few and with many companies and events; takes 18 minutes."""
    small, large = (Size(*numbers) for numbers in zip(companies, events, strict=True))
    with _failing_on_lost_events():
        figures = measure_growth(small, large, seconds=seconds, rounds=rounds)
    show("By the amount of stored data; ratios are within this run", figures)
    if json_file:
        write(json_file, figures)


@main.command("rules")
@click.option("--full", is_flag=True, help="Up to 1,000,000 companies; takes seven minutes.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def rules(full: bool, json_file: Path | None) -> None:  # noqa: FBT001 -- click passes it by name
    """Evaluating one company by its number of events, and the clock by the number of companies."""
    events = [100, 10_000, 1_000_000]
    companies = [10_000, 100_000, 1_000_000] if full else [10_000, 50_000]
    now = datetime.now(UTC)
    with embedded_servers() as settings:
        with transaction():
            names = ("judging", "backtest", "clock")
            one_company, past, many = (organizations.create(name).id for name in names)
        click.echo("Filling events ...", err=True)
        judging = measure_judging(one_company, events, now)
        _print("Milliseconds to evaluate one flag of one company", judging)
        click.echo("Filling a past ...", err=True)
        backtest = measure_backtest(settings, past, now)
        _print("A backtest over 90 days of 1,000 companies and 500,000 events", backtest)
        click.echo("Filling companies ...", err=True)
        clock = measure_clock(settings, many, companies, now)
        _print(f"Milliseconds by the number of companies, {FLAGS} flags each", clock)
    if json_file:
        figures = {"judging": judging, "replaying": backtest, "ticking": clock}
        json_file.write_text(json.dumps(figures, indent=2))


@main.command("pages")
@click.option("--companies", default=100_000, show_default=True)
@click.option("--events", default=5_000_000, show_default=True)
@click.option(
    "--repeats",
    default=40,
    show_default=True,
    help="Requests of each page, and repeats of each read.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that keeps the database for the next run.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def pages(
    companies: int, events: int, repeats: int, keep: Path | None, json_file: Path | None
) -> None:
    """Every page of the dashboard, and the queries of the pages, one after another."""
    now = datetime.now(UTC)
    costs, figures = measure_pages(
        companies=companies, events=events, repeats=repeats, now=now, keep=keep
    )
    page_costs = [asdict(cost) for cost in costs]
    _print("Milliseconds of each page, and of CPU in Python and in PostgreSQL", page_costs)
    show("Reads of the pages", figures)
    if json_file:
        write(json_file, figures, pages=page_costs)


@main.command("import")
@click.option("--events", default=1_000_000, show_default=True)
@click.option("--companies", default=500, show_default=True)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def imports(events: int, companies: int, json_file: Path | None) -> None:
    """A year of events from CSV and Parquet, imported twice; takes six minutes."""
    with embedded_servers() as settings:
        rows = measure_imports(settings, datetime.now(UTC), events=events, customers=companies)
    _print("Imports of a year of events", rows)
    if json_file:
        json_file.write_text(json.dumps(rows, indent=2))


@main.command("webhooks")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file."
)
def webhooks(json_file: Path | None) -> None:
    """The latency from a change's commit to its webhook, and the throughput of a process."""
    deliveries = measure_deliveries()
    _print("Webhooks to a fast receiver, one `deliver` process", deliveries)
    hanging = measure_hanging()
    _print("Webhooks to a fast receiver beside endpoints that hang", hanging)
    if json_file:
        figures = {"delivering": deliveries, "hanging": hanging}
        json_file.write_text(json.dumps(figures, indent=2))


@contextmanager
def _failing_on_lost_events() -> Iterator[None]:
    """Exit with code 1 and the difference if events were lost."""
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
