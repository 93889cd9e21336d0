"""The guide to the HTTP API agrees with the OpenAPI description of the read API."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from config.files import ROOT

GUIDE = (ROOT / "docs/api.md").read_text(encoding="utf-8")
TOTALS = GUIDE.split("## Reading", 1)[1].split("\n## ", 1)[0]
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", TOTALS, re.DOTALL)]


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "docs/openapi.yaml")
    return loaded


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_every_example_matches_the_description(
    example: dict[str, Any], description: dict[str, Any]
) -> None:
    kind = "Companies" if "companies" in example else "Transitions"
    schema = {"$ref": f"#/components/schemas/{kind}", "components": description["components"]}
    Draft202012Validator(schema).validate(example)


def test_every_parameter_is_in_the_guide(description: dict[str, Any]) -> None:
    named = set(re.findall(r"`([a-z_.<>]+)`", TOTALS))
    for parameter in description["paths"]["/companies"]["get"]["parameters"]:
        name = parameter.get("name") or parameter["$ref"].rsplit("/", 1)[-1]
        assert name in named | {"fields"}, name


def test_the_file_in_the_docs_is_the_one_that_is_served() -> None:
    served = ROOT / "dashboard/api/openapi.yaml"
    assert (ROOT / "docs/openapi.yaml").read_bytes() == served.read_bytes()
