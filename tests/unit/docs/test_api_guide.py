"""The guide to the HTTP API agrees with the OpenAPI descriptions."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from config.files import ROOT
from rules.flags import Reason
from services.health.as_json import reason_json
from tests.support.ingress.description import DESCRIPTION as WRITE_API
from tests.support.ingress.description import is_valid, operations
from tests.unit.docs.documents import blocks, read, rows_of, section_beginning, spans

READ_API = section_beginning(read("docs/api.md"), "Reading")
OUTCOMES = section_beginning(read("docs/api.md"), "Outcomes")
EXAMPLES = [json.loads(text) for text in blocks(READ_API + OUTCOMES, "json")]
TRACKING = section_beginning(read("docs/api.md"), "`POST /v1/track`")
SENDING = ("`POST /v1/track/batch`", "`PUT /v1/companies/{id}`", "`PUT /v1/users/{id}`")


@pytest.fixture(scope="module")
def description() -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(ROOT / "docs/openapi.yaml")
    return loaded


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_every_example_matches_the_description(
    example: dict[str, Any], description: dict[str, Any]
) -> None:
    kinds = {"companies": "Companies", "transitions": "Transitions", "kind": "Outcome"}
    [kind] = [kind for member, kind in kinds.items() if member in example]
    schema = {"$ref": f"#/components/schemas/{kind}", "components": description["components"]}
    Draft202012Validator(schema).validate(example)


def test_every_parameter_is_in_the_guide(description: dict[str, Any]) -> None:
    named = {span for span in spans(READ_API) if re.fullmatch(r"[a-z_.<>]+", span)}
    for parameter in description["paths"]["/companies"]["get"]["parameters"]:
        name = parameter.get("name") or parameter["$ref"].rsplit("/", 1)[-1]
        assert name in named | {"fields"}, name


def test_every_reason_of_a_flag_is_described(description: dict[str, Any]) -> None:
    described = description["components"]["schemas"]["Flag"]["properties"]["reason"]["enum"]
    assert described == [reason_json(reason) for reason in Reason]


def test_the_file_in_the_docs_is_the_one_that_is_served() -> None:
    served = ROOT / "dashboard/api/openapi.yaml"
    assert (ROOT / "docs/openapi.yaml").read_bytes() == served.read_bytes()


def test_the_guide_has_every_status_of_an_event() -> None:
    [track] = [each for each in operations() if each.template == "/v1/track"]
    listed = {int(row["status"]) for row in rows_of(TRACKING, "status")}
    assert listed == set(track.statuses)


def test_the_guide_has_every_field_of_an_event() -> None:
    schemas = WRITE_API["components"]["schemas"]
    described = set(schemas["Event"]["properties"]) - {"company", "user"}
    described |= {f"company.{name}" for name in schemas["EventCompany"]["properties"]}
    described |= {f"user.{name}" for name in schemas["User"]["properties"]}
    listed = {name for row in rows_of(TRACKING, "field") for name in spans(row["field"])}
    assert listed == {*described, "company.*", "user.*"}


def test_every_answer_to_a_batch_or_update_matches_the_description() -> None:
    answers = [
        json.loads(text)
        for heading in SENDING
        for text in blocks(section_beginning(read("docs/api.md"), heading), "json")
        if not text.startswith('{"companies"')  # a request
    ]
    schemas = [
        {"$ref": f"#/components/schemas/{name}"}
        for name in ("EventBatchResult", "UpdateAccepted", "UpdateBatchResult")
    ]
    matched = [[schema for schema in schemas if is_valid(schema, each)] for each in answers]
    assert matched == [[schema] for schema in schemas]
