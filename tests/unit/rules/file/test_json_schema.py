import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from config.files import ROOT
from rules.file.json_schema import rule_schema
from rules.file.rule_file import check_rules
from rules.language.examples import PHRASES
from rules.language.parser import parse_condition
from rules.phrases.condition import Condition

CONFIG = ROOT / "config"
RULE_FILES = sorted(set(CONFIG.rglob("*.yaml")) - set(CONFIG.rglob("*.test.yaml")))
VALIDATOR = jsonschema.Draft202012Validator(rule_schema())

WHOLE = """\
version: 1
statuses: [Healthy, At Risk]
events: {login: , export: {name: Exported, enabled: false}}
team: {owner: company.csm, value: company.arr, renewal: company.contract.end}
defaults: {new_company: wait 7 days}
flags:
  - flag: Logins
    event: any
    where: {data.source: web, data.size: [1, true, null]}
    when: {At Risk: {all: [no activity for 7 days, {not: company.plan is Free}]}}
    recover: {any: [at least twice in 7 days, company.vip is true]}
    for: 1 day
    new_company: judge at once
    applies_to: {company.limits.plan: [Pro]}
    if_missing: N/A
    ignore_if: previous under 20
    weight: 0.5
    note: Why.
"""


def is_valid(text: str) -> bool:
    return VALIDATOR.is_valid(YAML(typ="safe", pure=True).load(text))


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(rule_schema())


def test_the_copy_for_editors_is_the_schema() -> None:
    copy = (CONFIG / "rules.schema.json").read_text(encoding="utf-8")
    assert json.loads(copy) == rule_schema(), "update it with `brazebee rules schema`"


@pytest.mark.parametrize("file", RULE_FILES, ids=lambda file: file.stem)
def test_a_shipped_rule_file_is_valid(file: Path) -> None:
    assert is_valid(file.read_text(encoding="utf-8"))


def test_a_file_with_every_key_is_valid() -> None:
    assert check_rules(WHOLE).faults == ()
    assert is_valid(WHOLE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1\n", ""),
        ("version: 1", "version: 2"),
        ("statuses: [Healthy, At Risk]", "statuses: [Healthy]"),
        ("statuses:", "status:"),
        ("login: ", "any: "),
        ("enabled: false", "enabled: perhaps"),
        ("name: Exported", "title: Exported"),
        ("defaults: {new_company: wait 7 days}", "defaults: {new_company: 7 days}"),
        ("defaults: {new_company", "defaults: {for"),
        ("  - flag: Logins\n    event: any", "  - event: any"),
        ("{data.source: web", "{source: web"),
        ("{data.source: web", "{data.source: []"),
        ("when: {", "where_: {"),
        ("when: {At Risk: {all: [no activity for 7 days, {not: company.plan is Free}]}}",
         "when: {}"),
        ("{all: [", "{every: ["),
        ("{all: [no activity for 7 days, {not: company.plan is Free}]}", "{all: []}"),
        ("{not: company.plan is Free}", "{not: [company.plan is Free]}"),
        ("for: 1 day", "for: 1"),
        ("for: 1 day", "for: a day"),
        ("company.limits.plan", "plan"),
        ("ignore_if: previous under 20", "ignore_if: under 20"),
        ("weight: 0.5", "weight: -1"),
        ("weight: 0.5", "weight: heavy"),
        ("note: Why.", "notes: Why."),
        ("note: Why.", "note: "),
    ],
)  # fmt: skip
def test_a_broken_file_is_not_valid(old: str, new: str) -> None:
    assert old in WHOLE
    broken = WHOLE.replace(old, new, 1)
    assert check_rules(broken).faults
    assert not is_valid(broken)


@pytest.mark.parametrize(
    ("broken", "schema"),
    [
        ("zzz: 1", rule_schema()),
        ("defaults: {zzz: 1}", rule_schema()["properties"]["defaults"]),
        ("flags: [{zzz: 1}]", rule_schema()["$defs"]["flag"]),
    ],
)
def test_the_schema_has_the_keys_that_are_read(broken: str, schema: dict[str, Any]) -> None:
    [message] = [f.message for f in check_rules(broken).faults if "known are" in f.message]
    keys = set(re.findall("`([^`]+)`", message.split("known are")[1]))
    assert keys == set(schema["properties"])
    assert all(
        "description" in value or "$ref" in value or "const" in value
        for value in schema["properties"].values()
    )


def test_there_is_an_example_of_every_kind_of_phrase() -> None:
    kinds = {type(part) for text in PHRASES for part in parse_condition(text)}
    missing = {kind.__name__ for kind in _kinds(Condition)} - {kind.__name__ for kind in kinds}
    assert missing == set()


def _kinds(of: type[Condition]) -> list[type[Condition]]:
    kinds = [kind for child in of.__subclasses__() for kind in _kinds(child)]
    return kinds or [of]
