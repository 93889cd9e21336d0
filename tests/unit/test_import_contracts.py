"""Each import contract is broken by the mistake that it exists to catch.

A contract that matches nothing, or lists modules that were renamed, passes `lint-imports` and
protects nothing. So the mistakes are made here, in a copy of the import graph.
"""

import shutil
import subprocess
import sys
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import grimp
import pytest
from importlinter import api
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract
from importlinter.domain.contract import Contract

from config.files import ROOT

CONFIGURATION = api.read_configuration(str(ROOT / "pyproject.toml"))
SESSION: dict[str, Any] = CONFIGURATION["session_options"]
CONTRACTS: dict[str, dict[str, Any]] = {
    contract["id"]: contract for contract in CONFIGURATION["contracts_options"]
}
CLASSES: dict[str, type[Contract]] = {
    "forbidden": ForbiddenContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}

MISTAKES = [
    # importer, module that it must not import, contract that forbids it
    ("ingress.event.fields", "models.organizations.removal", "ingress-tables"),
    ("ingress.batch", "models.companies.companies", "ingress-tables"),
    ("dashboard.pages.today", "ingress.track", "ingress-outside"),
    ("dashboard.api", "ingress.batch", "ingress-outside"),
    ("cli.commands.keys", "ingress.app", "ingress-outside"),
    ("services.events.intake", "flask", "services"),
    ("services.webhooks.delivery", "dramatiq", "services"),
    ("services.rules.plan", "click", "services"),
    ("rules.book", "models.companies.companies", "layers"),
    ("rules.phrases.counting", "redis", "pure-rules"),
    ("rules.phrases.counting", "rules.file.rule_file", "layers-of-rules"),
    ("rules.book", "rules.scenarios", "layers-of-rules"),
    ("models.companies.companies", "models.health.transitions", "layers-of-models"),
    ("models.database", "models.organizations.organizations", "layers-of-models"),
    ("models.events.events", "rules.flags", "models"),
    ("models.events.events", "queues.messages", "models"),
    ("models.events.events", "services.totals", "layers"),
    ("dashboard.app", "actors.clock", "actors"),
    ("services.health.evaluation", "actors.clock", "actors"),
    ("bench.__main__", "actors.clock", "actors"),
    ("standalone.supervisor", "cli.errors", "layers"),
    ("config.settings", "queues.broker", "layers"),
    ("services.totals", "ingress.app", "layers"),
    ("actors.clock", "dashboard.app", "layers"),
]


@pytest.fixture(scope="session")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        *SESSION["root_packages"], include_external_packages=True, cache_dir=None
    )


def broken(graph: grimp.ImportGraph) -> set[str]:
    """Return the ids of the contracts that a graph breaks."""
    return {
        contract_id
        for contract_id, options in CONTRACTS.items()
        if not CLASSES[options["type"]](options["name"], SESSION, options)
        .check(deepcopy(graph), verbose=False)
        .kept
    }


def test_the_code_keeps_every_contract(graph: grimp.ImportGraph) -> None:
    assert broken(graph) == set()


@pytest.mark.parametrize(("importer", "imported", "contract"), MISTAKES)
def test_a_forbidden_import_breaks_its_contract(
    graph: grimp.ImportGraph, importer: str, imported: str, contract: str
) -> None:
    changed = deepcopy(graph)
    assert importer in changed.modules
    assert imported in changed.modules
    assert not changed.direct_import_exists(importer=importer, imported=imported)
    changed.add_import(importer=importer, imported=imported, line_number=1, line_contents="import")
    assert contract in broken(changed)


def test_lint_imports_finds_a_mistake_in_the_source(tmp_path: Path) -> None:
    for package in SESSION["root_packages"]:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=lambda *_: ["__pycache__"])
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = MISTAKES[0][0]
    with tmp_path.joinpath(*module.split(".")).with_suffix(".py").open("a") as file:
        file.write("from models.organizations import removal\n")
    linted = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert linted.returncode == 1
    assert CONTRACTS["ingress-tables"]["name"] in linted.stdout
    assert f"{module} -> models.organizations.removal" in linted.stdout


def test_every_contract_is_broken_by_some_mistake() -> None:
    assert {contract for _, _, contract in MISTAKES} == CONTRACTS.keys()


@pytest.mark.parametrize("module", ["rules.drawer", "models.drawer"])
def test_a_new_module_belongs_to_a_layer(graph: grimp.ImportGraph, module: str) -> None:
    changed = deepcopy(graph)
    changed.add_module(module)
    assert f"layers-of-{module.split('.', maxsplit=1)[0]}" in broken(changed)


def test_every_package_is_checked_and_belongs_to_a_layer() -> None:
    packages = {
        path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"
    }
    layers = {name.strip() for layer in CONTRACTS["layers"]["layers"] for name in layer.split("|")}
    assert packages == set(SESSION["root_packages"]) == layers
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert packages == set(tools["mypy"]["packages"]) - {"brazebee_client"}  # of clients/
    assert packages < set(tools["ruff"]["lint"]["isort"]["known-first-party"])
