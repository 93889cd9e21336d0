"""Conventions of all services, checked in their source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import services
from services.errors import ServiceError

ROOT = Path(services.__file__).parent

OPEN_TRANSACTIONS = {
    "events/rejected.py": {"retry_all"},
    "events/waiting_upkeep.py": {"look"},
    "forecasts/refreshing.py": {"refresh_chunk"},
    "imports/customers/loading.py": {"load"},
    "imports/outcomes/loading.py": {"load"},
    "incoming/live.py": {"__init__", "_set_aside", "newest", "watch_newest"},
    "incoming/refusals.py": {"_record"},
    "incoming/trace.py": {"trace"},
    "notifications/claims.py": {"claim"},
    "notifications/metrics.py": {"collect"},
    "notifications/outcomes.py": {"record"},
    "outcomes/runs.py": {"refresh"},
    "rules/backtest.py": {"replay_chunk"},
    "rules/backtest_jobs.py": {"_step", "advance", "remove_old"},
    "secret_rotation.py": {"rotate"},
    "totals.py": {"refresh", "_do_each", "_refresh_portfolios"},
    "webhooks/claims.py": {"claim"},
    "webhooks/metrics.py": {"collect"},
    "webhooks/outcomes.py": {"record_success", "record_failure"},
}
"""The services that open a transaction; all others run in the transaction of their caller."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def functions_that_open_transactions(module: ast.Module) -> dict[str, str]:
    """Return the docstrings of these functions by name."""
    return {
        function.name: ast.get_docstring(function) or ""
        for function in ast.walk(module)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("transaction")
    }


def test_only_the_listed_services_open_a_transaction() -> None:
    opening = {name: functions_that_open_transactions(module) for name, module in modules()}
    assert {name: set(names) for name, names in opening.items() if names} == OPEN_TRANSACTIONS


def test_the_docstring_of_a_service_that_opens_a_transaction_mentions_it_first() -> None:
    for name, module in modules():
        for function, docstring in functions_that_open_transactions(module).items():
            assert "transaction of its own" in docstring.partition("\n")[0], (name, function)


def test_every_exception_of_a_service_is_a_service_error() -> None:
    roots = {ServiceError.__name__}
    classes = [
        node
        for _, module in modules()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
    ]
    bases = {node.name: [ast.unparse(base) for base in node.bases] for node in classes}
    while derived := {n for n, b in bases.items() if roots.intersection(b)} - roots:
        roots |= derived
    exceptions = {
        node.name
        for node in classes
        if (ast.get_docstring(node) or "").startswith("Raised when")
        or any(base.endswith(("Exception", "Error")) for base in bases[node.name])
    }
    assert exceptions == roots
