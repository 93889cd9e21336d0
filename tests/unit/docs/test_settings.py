"""docs/operations.md lists every setting once, with its default, and no other."""

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from marshmallow import Schema

from config import open_id, settings, smtp, webhook_policy
from config.files import PROCFILE, ROOT
from tests.unit.docs.commands import every_command, options
from tests.unit.docs.documents import documents, project_files, read, rows_of

OPERATIONS = read("docs/operations.md")
DOCUMENTED = [(row["setting"].strip("`"), row["default"]) for row in rows_of(OPERATIONS, "setting")]
USING_VARIABLES = (
    "clients/node/src/",
    "clients/python/src/",
    "docs/examples/",
    "tests/support/",
    "tests/unit/rules/",
)
"""Folders outside the product whose variables documents may name."""

SCHEMAS = {
    settings: settings.Settings,
    webhook_policy: webhook_policy.WebhookPolicy,
    open_id: open_id.OpenIdSettings,
    smtp: smtp.SmtpSettings,
}
"""The modules that define settings, and the dataclass that each fills."""


def schema_of(module: ModuleType) -> Schema:
    """The schema that a module defines; its other classes are fields."""
    [schema] = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Schema) and value is not Schema
    ]
    return schema()


def checked_settings() -> set[str]:
    return {
        str(field.data_key) for module in SCHEMAS for field in schema_of(module).fields.values()
    }


@cache
def read_elsewhere() -> set[str]:
    """Variables that options of commands and the lines of the Procfile read."""
    of_options = {
        str(option.envvar) for command in every_command().values() for option in options(command)
    }
    of_processes = re.findall(r"\$\{(\w+)", PROCFILE.read_text(encoding="utf-8"))
    return (of_options | set(of_processes)) - {"None"}


def defaults() -> Iterator[tuple[str, Any, Any]]:
    """Settings with a default: the name, the default, and the field that reads a text."""
    for module, filled in SCHEMAS.items():
        values = {f.name: f.default for f in fields(filled)}
        for name, field in schema_of(module).fields.items():
            default = values.get(name, MISSING)
            if default is not MISSING and default not in (None, ()):
                yield str(field.data_key), default, field


def test_every_setting_is_documented_once() -> None:
    assert sorted(name for name, _ in DOCUMENTED) == sorted(checked_settings() | read_elsewhere())


@pytest.mark.parametrize(
    ("setting", "default", "field"),
    [pytest.param(*found, id=found[0]) for found in defaults()],
)
def test_the_documented_default_is_that_of_the_code(setting: str, default: Any, field: Any) -> None:
    documented = dict(DOCUMENTED)[setting].strip("`")
    assert field.deserialize(documented) == default


def test_the_documented_defaults_of_the_procfile_are_those_of_its_lines() -> None:
    documented = dict(DOCUMENTED)
    for name, default in re.findall(r"\$\{(\w+):-([\w.]+)\}", PROCFILE.read_text(encoding="utf-8")):
        assert documented[name] == f"`{default}`"


@pytest.mark.parametrize("document", documents())
def test_no_document_names_a_variable_that_nothing_reads(document: str) -> None:
    known = checked_settings() | read_elsewhere() | used_outside_the_product()
    for name in re.findall(r"\b(?:BRAZEBEE_[A-Z_]*[A-Z]|DATABASE_URL|REDIS_URL)\b", read(document)):
        assert name in known or f"export {name}=" in read(document), name


@cache
def used_outside_the_product() -> set[str]:
    sources = [
        path
        for path in project_files()
        if path.startswith(USING_VARIABLES) and not path.endswith(".pyc")
    ]
    texts = "".join((ROOT / path).read_text(encoding="utf-8") for path in sources)
    return set(re.findall(r"\bBRAZEBEE_[A-Z_]*[A-Z]\b", texts))
