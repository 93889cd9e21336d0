"""`python -m faults`: inflicts faults one after another under load, and settles the accounts."""

import signal
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import click
from tabulate import tabulate

from bench.latency import percentile
from demo.webhook_receiver import webhook_receiver
from faults.accounts import Account, settle_accounts
from faults.customers import Customer, Traffic, create_customer
from faults.kinds import deploys, processes, receivers, servers, tenants
from faults.observer import Delays, observing
from faults.product import Product, running_product
from faults.stage import Fault, Stage
from models.database import transaction
from models.webhooks import webhook_endpoints

FAULTS = [*servers.FAULTS, *tenants.FAULTS, *receivers.FAULTS, *processes.FAULTS]

COMPANIES = 60
BRIEF_COMPANIES = 16
WARM_UP_SECONDS = 8.0
"""Until every company was silent once."""

RECOVERY_SECONDS = 4.0
BRIEF_RECOVERY_SECONDS = 1.0
ISOLATED_SECONDS = 1.0


@dataclass(frozen=True)
class Result:
    """What was seen while a fault lasted; `wrong` is None if all was right."""

    fault: str
    seconds: float
    delays: Delays
    figure: str
    wrong: str | None


@click.command()
@click.option("--brief", is_flag=True, help="Only a few faults, in half a minute.")
@click.option("--only", help="Only the faults whose name contains this.")
@click.option("--before", help="Also deploys from and to the release at this commit.")
@click.option("--quiet-minutes", type=float, default=0.0, help="Minutes of load between faults.")
@click.option("--seed", type=int, default=1, help="Of the customers' traffic.")
def main(
    brief: bool, only: str | None, before: str | None, quiet_minutes: float, seed: int
) -> None:
    """Inflict faults under load; exit with 1 if anything is lost, invented or wrong."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that every process is stopped
    received: set[str] = set()
    with (
        webhook_receiver(lambda headers, _: received.add(headers["webhook-id"])) as url,
        deploys.release_of(before) if before else nullcontext() as release,
        running_product(release) as product,
    ):
        faults = [*(deploys.deploys(release) if release else []), *FAULTS]
        chosen = [
            fault
            for fault in faults
            if (fault.brief or not brief) and (only or "").lower() in fault.name.lower()
        ]
        companies = BRIEF_COMPANIES if brief else COMPANIES
        customers = [_customer(name, companies, url, product) for name in ("first", "second")]
        with Traffic(product, customers, seed).running():
            pause = BRIEF_RECOVERY_SECONDS if brief else RECOVERY_SECONDS + 60 * quiet_minutes
            victim, other = customers
            stage = Stage(product, victim, other, create_customer("crowd", 0))
            results = _inflict(chosen, stage, pause)
        account = settle_accounts(product, customers, received)
    _show(results, account)
    if account.differences or any(result.wrong for result in results):
        sys.exit(1)


def _customer(name: str, companies: int, url: str, product: Product) -> Customer:
    customer = create_customer(name, companies)
    with transaction():
        webhook_endpoints.add(customer.id, url, secret_keys=product.settings.secret_keys)
    return customer


def _inflict(faults: Sequence[Fault], stage: Stage, pause_seconds: float) -> list[Result]:
    time.sleep(WARM_UP_SECONDS)
    results = []
    for fault in faults:
        click.echo(f"{fault.name} ...", err=True)
        results.append(_result_of(fault, stage))
        time.sleep(pause_seconds)
    return results


def _result_of(fault: Fault, stage: Stage) -> Result:
    began, figure, wrong = time.monotonic(), "", None
    observed = observing(stage.product.settings.database_url, stage.other.id)
    with observed if fault.isolated else nullcontext(Delays()) as delays:
        try:
            figure = fault.inflict(stage) or ""
        except Exception as error:  # noqa: BLE001 -- the accounts of what was sent are settled anyway
            wrong = str(error) if isinstance(error, AssertionError) else repr(error)
    if fault.isolated and not _isolated(delays):
        wrong = wrong or "the other customer was delayed"
    return Result(fault.name, time.monotonic() - began, delays, figure, wrong)


def _isolated(delays: Delays) -> bool:
    return all(
        seen and percentile(seen, 99) <= ISOLATED_SECONDS for seen in (delays.stored, delays.late)
    )


def _show(results: Sequence[Result], account: Account) -> None:
    rows = [
        (
            result.fault,
            f"{result.seconds:.0f} s",
            _p99(result.delays.stored),
            _p99(result.delays.late),
            result.figure,
            result.wrong or "right",
        )
        for result in results
    ]
    headers = ("fault", "lasted", "other stored p99", "other late p99", "", "result")
    click.echo(tabulate(rows, headers=headers, disable_numparse=True))
    click.echo(
        f"\n{account.events:,} accepted events, {account.transitions:,} transitions and"
        f" {account.webhooks:,} webhooks compared: {len(account.differences)} differences."
    )
    for difference in account.differences:
        click.echo(f"- {difference}")


def _p99(seconds: Sequence[float]) -> str:
    return f"{percentile(seconds, 99):.2f} s" if seconds else ""


if __name__ == "__main__":
    main()
