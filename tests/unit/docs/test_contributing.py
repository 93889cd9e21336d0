"""The table "Where things go" names every place that has to change, as far as the code shows it."""

import ast
import pkgutil
import re
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from inspect import isabstract

import pytest

import rules.phrases
from cli.main import IMPORT_PATHS
from config.files import PROCFILE, ROOT
from models.companies.companies import CORE_FIELDS
from queues import messages
from rules.file.json_schema import rule_schema
from rules.phrases.condition import Condition
from tests.unit.docs.documents import (
    PARSING,
    Row,
    parsed,
    project_files,
    read,
    rows_of,
    section,
    spans,
)
from tests.unit.docs.metrics import defined_metrics

pytestmark = pytest.mark.xdist_group(PARSING)

GUIDE = read("CONTRIBUTING.md")
REFERENCES = {
    "a phrase": ["docs/health-rules.md"],
    "a key of a flag": ["docs/health-rules.md"],
    "another key of the rule file": ["docs/health-rules.md"],
    "a core field of companies": ["docs/api.md", "docs/openapi.yaml", "docs/openapi-write.yaml"],
    "a core field of users": ["docs/api.md", "docs/openapi-write.yaml"],
    "an actor": ["docs/operations.md"],
    "a command": ["docs/commands.md"],
    "a page": ["docs/dashboard.md"],
    "a setting": ["docs/operations.md"],
    "a metric": ["docs/metrics.md"],
}
"""The documents that other tests hold complete, by the rows that have to name them."""

ROWS: dict[str, str] = {
    row["you add"]: row["change"] for row in rows_of(section(GUIDE, "Where things go"), "you add")
}
CODE = (".py", ".js", ".html", ".json", ".lark", ".lua", ".yaml", "Procfile")
NOT_PRODUCT = ("docs/", "tests/", "bench/", "clients/", "faults/", "fuzz/")


@cache
def code_files() -> dict[str, str]:
    """The text of every file of the product, by its path."""
    return {
        path: read(path)
        for path in project_files()
        if path.endswith(CODE) and not path.startswith(NOT_PRODUCT) and "/vendor/" not in path
    }


def named_in(row: str) -> list[str]:
    """The files and folders that a row names."""
    return [
        span
        for span in spans(ROWS[row])
        if " " not in span and ("/" in span or (ROOT / span).is_file())
    ]


def is_named(path: str, row: str) -> bool:
    return any(fnmatch(path, f"{name}*" if name.endswith("/") else name) for name in named_in(row))


def assert_row_names(row: str, paths: Iterable[str]) -> None:
    """Assert that a row names every one of these files."""
    traced = sorted(paths)
    assert traced, "nothing was traced"
    assert [path for path in traced if not is_named(path, row)] == []


def assert_row_names_only(row: str, paths: Iterable[str], *besides: str) -> None:
    """Assert that a row names these files, and no other of the product but those in `besides`."""
    traced = set(paths)
    assert_row_names(row, traced)
    assert [name for name in named_in(row) if name in code_files() and name not in traced] == [
        name for name in named_in(row) if name in besides
    ]


def mentioning(words: Collection[str], below: str | tuple[str, ...] = "") -> set[str]:
    """The files of the product that have one of these words."""
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, words))})\b")
    return {
        path
        for path, text in code_files().items()
        if path.startswith(below) and pattern.search(text)
    }


def trees(
    below: str | tuple[str, ...] = "", *, words: Collection[str]
) -> Iterator[tuple[str, ast.Module]]:
    """Yield the syntax trees of the files of the product that have one of these words."""
    for path, text in code_files().items():
        if path.startswith(below) and path.endswith(".py") and any(word in text for word in words):
            yield path, parsed(path)


# Phrases


def phrase_classes(base: type[Condition] = Condition) -> Iterator[type[Condition]]:
    for phrase_class in base.__subclasses__():
        yield from phrase_classes(phrase_class)
        if not isabstract(phrase_class) and phrase_class.__module__.startswith("rules.phrases"):
            yield phrase_class


def test_the_row_of_a_phrase_names_every_module_that_tells_kinds_of_phrases_apart() -> None:
    for module in pkgutil.iter_modules(rules.phrases.__path__, "rules.phrases."):
        import_module(module.name)
    names = {phrase_class.__name__ for phrase_class in phrase_classes()}
    assert len(names) >= 13
    importing = {
        path for path, tree in trees(words=["rules.phrases"]) if names & imported_phrases(tree)
    }
    words = ("rules/language/grammar.lark", "rules/language/mistakes.py")
    examples = ("rules/language/examples.py", "config/rules.schema.json")
    assert_row_names_only("a phrase", importing, *words, *examples)
    assert_row_names("a phrase", [*words, *examples])
    in_tests = [
        path
        for path in project_files()
        if re.match(r"tests/.*\.py$", path) and "rules.phrases" in read(path)
    ]
    assert_row_names("a phrase", [p for p in in_tests if names <= imported_phrases(parsed(p))])


def imported_phrases(tree: ast.Module) -> set[str]:
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rules.phrases")
        for alias in node.names
    }


# Keys


def test_the_row_of_a_flags_key_names_every_module_that_treats_one() -> None:
    keys = rule_schema()["$defs"]["flag"]["properties"].keys()
    telling = {key for key in keys if "_" in key}
    assert telling
    places = ("rules/", "services/", "dashboard/", "config/rules.schema.json")
    quoted = re.compile(f"[\"'`]({'|'.join(telling)})[\"'`]")
    found = {
        path
        for path, text in code_files().items()
        if path.startswith(places) and quoted.search(text)
    }
    attributes = {*telling, "lasting"}
    reading = {
        path
        for path, tree in trees(("rules/", "services/", "dashboard/"), words=attributes)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in attributes
    }
    assert_row_names("a key of a flag", found | reading)


def test_the_row_of_a_files_key_names_every_module_that_treats_one() -> None:
    assert "defaults" in rule_schema()["properties"]
    quoted = re.compile("[\"']defaults[\"']")
    found = {
        path
        for path, text in code_files().items()
        if path.startswith(("rules/", "services/", "dashboard/", "config/rules.schema.json"))
        and quoted.search(text)
    }
    assert_row_names("another key of the rule file", found)


# Core fields


def test_the_row_of_a_company_field_names_every_module_that_has_its_own_list() -> None:
    telling = [name for name in CORE_FIELDS if name.endswith("_id")]
    assert len(telling) == 2
    found = mentioning(telling) | {"models/migrations/0001_initial.sql"}
    assert_row_names_only("a core field of companies", found)


def test_every_module_that_has_its_own_list_of_company_fields_has_all_of_them() -> None:
    validators = [path for path in named_in("a core field of companies") if "ingress/" in path]
    models = ["models/companies/companies.py", "models/companies/tables.py"]
    for path in [*validators, *models, "docs/api.md", "dashboard/api/openapi.yaml"]:
        words = set(re.findall(r"\w+", read(path)))
        assert set(CORE_FIELDS) - words == set(), path


def test_the_row_of_a_user_field_names_every_module_that_has_its_own_list() -> None:
    places = ("ingress/", "models/companies/", "services/events/", "dashboard/templates/company/")
    found = mentioning(["email"], places)
    assert_row_names_only("a core field of users", found | {"models/migrations/0001_initial.sql"})


# Actors, commands, pages


def test_the_row_of_an_actor_names_where_actors_and_queues_are_declared() -> None:
    declaring = {
        path
        for path, tree in trees("actors/", words=["actor_name"])
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "actor_name"
    }
    assert_row_names("an actor", {*declaring, "queues/messages.py", "queues/broker.py", "Procfile"})


def procfile_queues() -> set[str]:
    lines = PROCFILE.read_text(encoding="utf-8")
    return {
        queue for found in re.findall(r"--queues ([\w ]+?) --", lines) for queue in found.split()
    }


def test_every_queue_has_a_line_in_the_procfile() -> None:
    declared = {
        keyword.value.attr
        for _, tree in trees("actors/", words=["queue_name"])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "queue_name" and isinstance(keyword.value, ast.Attribute)
    }
    assert {getattr(messages, name) for name in declared} == procfile_queues()


def test_the_row_of_a_command_names_where_commands_are_registered() -> None:
    places = set(IMPORT_PATHS.values())
    modules = {f"{place.partition(':')[0].replace('.', '/')}.py" for place in places}
    assert_row_names("a command", {*modules, "cli/main.py", "docs/commands.md"})


def test_the_row_of_a_page_names_every_module_that_lists_pages() -> None:
    path = "settings/audit"
    listing = {
        name
        for name in project_files()
        if name.endswith((".py", ".html"))
        and not name.startswith(("tests/integration/", "tests/browser/", "tests/acceptance/"))
        and name != "tests/unit/docs/test_contributing.py"
        and re.search(rf"{path}\b|{{settings}}/audit|\baudit_log\.(page|blueprint)\b", read(name))
    }
    registering = {
        path
        for path, tree in trees(words=["dashboard.pages"])
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dashboard.pages")
        if not path.startswith("dashboard/pages/")
    }
    assert_row_names("a page", listing | registering)


# Settings, metrics, tables


def test_the_row_of_a_setting_names_every_module_that_defines_some() -> None:
    defining = {
        path
        for path, text in code_files().items()
        if path.startswith("config/") and path.endswith(".py") and "data_key=" in text
    }
    assert_row_names("a setting", defining)


def test_the_row_of_a_metric_names_every_module_that_defines_some() -> None:
    assert_row_names("a metric", {metric.path for metric in defined_metrics()})


def test_the_row_of_a_table_names_the_models_of_tables() -> None:
    tables = [path for path in code_files() if re.fullmatch(r"models/\w+/tables\.py", path)]
    assert tables
    assert "`tables.py`" in ROWS["a table or column"]
    for row in ("a table or column", "a migration"):
        assert is_named("models/migrations/0001_initial.sql", row)


# The tree


@pytest.mark.parametrize(("row", "documents"), REFERENCES.items())
def test_every_row_names_the_document_that_has_to_change(row: str, documents: list[str]) -> None:
    assert_row_names(row, documents)


@pytest.mark.parametrize("row", ROWS)
def test_every_file_that_a_row_names_exists(row: str) -> None:
    assert named_in(row)
    for name in named_in(row):
        assert (ROOT / name).exists(), name


def test_every_package_is_in_the_tree() -> None:
    tree: list[Row] = rows_of(section(GUIDE, "The tree"), "folder")
    packages = {path.split("/")[0] for path in code_files() if path.endswith("__init__.py")}
    tools = {"bench", "clients", "faults", "fuzz", "tests"}
    assert {row["folder"].strip("`/") for row in tree} == packages | tools
