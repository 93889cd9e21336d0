"""What became of the calls of each SDK, as a table."""

from collections.abc import Iterable

from tabulate import tabulate

from tests.support.sdks.account import Account

COLUMNS = ("SDK", "calls", "events stored once", "refused, shown", "lost by the SDK", "answers")


def report(accounts: Iterable[Account]) -> str:
    """Return a row for each SDK: what was sent, stored, refused, lost, and how often it tried."""
    rows = []
    for account in accounts:
        run = account.run
        ids = [event.event_id for event in account.events]
        answers = ", ".join(f"{n} x {answer}" for answer, n in sorted(run.answers.items()))
        rows.append(
            (
                run.sdk.title,
                len(run.calls),
                f"{len(set(ids))} of {run.expected_events}",
                len(account.refused),
                len(run.lost),
                answers,
            )
        )
    return tabulate(rows, COLUMNS)
