"""The OpenAPI description has every route of the ingress, and the bounds that its code has."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from marshmallow import INCLUDE, Schema, fields, validate
from openapi_spec_validator import OpenAPIV31SpecValidator

from config.files import ROOT
from ingress.app import create_app
from ingress.batch import LARGEST_BATCH, LONGEST_KEY, MOST_EVENTS
from ingress.body import ENCODINGS
from ingress.client.request_keys import key_of
from ingress.event.event_ids import HEADER, LONGEST_ID
from ingress.event.fields import EventId, Name, Nested, Object, Text, Timestamp
from ingress.event.schema import CompanySchema, EventSchema, UserSchema
from ingress.event.shapes import CompanyUpdateSchema, KnownCompanySchema, UserUpdateSchema
from ingress.event.valid_event import LARGEST_EVENT, LONGEST_TEXT
from ingress.formats.routes import PATHS as SDK_PATHS
from ingress.metrics import Metrics
from ingress.openapi.routes import DESCRIPTION as DESCRIPTION_PATH
from ingress.strict_json import DEEPEST
from ingress.track import TRACK, Tracking
from models.companies.fields.field_limits import MOST_BYTES, MOST_FIELDS
from models.keys.scopes import Scope
from serving.body import BODY_SECONDS
from tests.support.ingress.description import (
    DESCRIPTION,
    SERVED,
    Operation,
    operations,
    resolve,
    sending,
    values,
)
from tests.support.ingress.description import (
    validate as validate_value,
)

SCHEMAS = DESCRIPTION["components"]["schemas"]
NOT_DESCRIBED = {f"GET {DESCRIPTION_PATH}"}
"""Routes of our own that the description does not have."""

NAMES: dict[type[Schema], str] = {
    EventSchema: "Event",
    CompanySchema: "EventCompany",
    KnownCompanySchema: "Company",
    UserSchema: "User",
    CompanyUpdateSchema: "CompanyItem",
    UserUpdateSchema: "UserItem",
}
IN_PATHS = {
    "CompanyUpdate": CompanyUpdateSchema,
    "CompanyFields": KnownCompanySchema,
    "UserUpdate": UserUpdateSchema,
    "UserFields": UserSchema,
}
"""The bodies of requests with an id in their path, and the shapes that they have besides the id."""

ANNOTATIONS = ("description", "default", "examples")


def routes() -> set[str]:
    """The routes of the ingress, with `{id}` for an id."""
    gate: Any = SimpleNamespace(limiter=None)
    admissions: Any = None
    app = create_app(
        Tracking(gate, lambda: datetime.now(UTC)),
        redis=int,
        postgres=int,
        metrics=Metrics("token", admissions),
    )
    return {
        f"{method} {re.sub('<id:[^>]+>', '{id}', rule.rule)}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def json_schema_of(schema: type[Schema], *, id_in_path: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of what a schema of the ingress loads."""
    loaded = schema()
    required = [name for name, field in loaded.load_fields.items() if field.required]
    made: dict[str, Any] = {
        "type": "object",
        "required": [name for name in required if not (id_in_path and name == "id")],
        "properties": {name: _of_field(field) for name, field in loaded.load_fields.items()},
    }
    if loaded.unknown == INCLUDE:
        made["additionalProperties"] = True
    return {name: part for name, part in made.items() if part != []}


def _of_field(field: fields.Field[Any]) -> dict[str, Any]:
    made = _of_kind(field)
    if not field.allow_none:
        return made
    if "$ref" in made:
        return {"oneOf": [made, {"type": "null"}]}
    if isinstance(field, Name):  # an empty text is taken as absent
        del made["minLength"], made["pattern"]
    return {**made, "type": [made["type"], "null"]}


def _of_kind(field: fields.Field[Any]) -> dict[str, Any]:
    match field:
        case Nested():
            return {"$ref": f"#/components/schemas/{NAMES[type(field.schema)]}"}
        case EventId():
            bounds = {"minLength": 1, "maxLength": LONGEST_ID, "pattern": r"^\S+$"}
            return {"type": "string", **bounds}
        case Name():
            return {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": r"\S"}
        case Timestamp():
            return {"type": "string", "format": "date-time"}
        case Object():
            return {"type": "object", "additionalProperties": True}
        case Text(validators=[validate.Email()]):
            return {"type": "string", "format": "email"}
    raise AssertionError(f"no JSON Schema is known for {field}")


def without_annotations(item: Any) -> Any:
    if isinstance(item, list):
        return [without_annotations(each) for each in item]
    if not isinstance(item, dict):
        return item
    return {
        name: {key: without_annotations(each) for key, each in part.items()}
        if name == "properties"
        else without_annotations(part)
        for name, part in item.items()
        if name not in ANNOTATIONS
    }


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", text.replace(",", ""))]


def parameters(operation: Operation) -> dict[str, Mapping[str, Any]]:
    return {each["name"]: each for each in map(resolve, operation.content["parameters"])}


def test_the_description_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DESCRIPTION).validate()
    ids = [operation.content["operationId"] for operation in operations()]
    assert len(ids) == len(set(ids))


def test_every_route_is_described_and_every_described_route_exists() -> None:
    of_sdks = {route for route in routes() if route.split()[1] in SDK_PATHS - {TRACK}}
    assert routes() - of_sdks - NOT_DESCRIBED == {str(operation) for operation in operations()}


def test_the_file_in_the_docs_is_the_one_that_is_served() -> None:
    assert (ROOT / "docs/openapi-write.yaml").read_bytes() == SERVED.read_bytes()


@pytest.mark.parametrize("schema", NAMES, ids=NAMES.get)
def test_shapes_are_those_of_the_code(schema: type[Schema]) -> None:
    assert without_annotations(SCHEMAS[NAMES[schema]]) == json_schema_of(schema)


@pytest.mark.parametrize("name", IN_PATHS)
def test_an_id_in_the_path_may_be_left_out_of_the_body(name: str) -> None:
    expected = json_schema_of(IN_PATHS[name], id_in_path=True)
    for one in ("company", "user"):
        if name == f"{one.title()}Update":
            fields_of_one = f"#/components/schemas/{one.title()}Fields"
            expected["properties"][one] = {"$ref": fields_of_one}
    assert without_annotations(SCHEMAS[name]) == expected


@pytest.mark.parametrize("operation", sending(), ids=str)
def test_a_body_has_the_described_size_and_depth(operation: Operation) -> None:
    text = operation.content["requestBody"]["description"]
    if operation.template.endswith("/batch"):
        assert numbers(text) == [LARGEST_BATCH, LARGEST_EVENT, DEEPEST]
        [items] = [
            part for part in operation.body_schema["properties"].values() if part["type"] == "array"
        ]
        assert (items["minItems"], items["maxItems"]) == (1, MOST_EVENTS)
        assert numbers(operation.content["summary"]) == [MOST_EVENTS]
    else:
        assert numbers(text) == [LARGEST_EVENT, DEEPEST]


@pytest.mark.parametrize("operation", sending(), ids=str)
def test_headers_and_ids_have_the_described_bounds(operation: Operation) -> None:
    described = parameters(operation)
    assert set(described["Content-Encoding"]["schema"]["enum"]) == {*ENCODINGS, "identity"}
    longest = {"/v1/track": LONGEST_ID, "/v1/track/batch": LONGEST_KEY}.get(operation.template)
    assert (HEADER in described) is (longest is not None)
    if longest:
        assert described[HEADER]["schema"] == {
            "type": "string",
            "minLength": 1,
            "maxLength": longest,
            "pattern": "^[!-~]+$",
        }
    if "{id}" in operation.template:
        id_schema = without_annotations(resolve(described["id"]["schema"]))
        assert id_schema == _of_kind(CompanySchema().fields["id"])


def test_other_numbers_are_those_of_the_code() -> None:
    assert numbers(SCHEMAS["Company"]["description"]) == [MOST_FIELDS, MOST_BYTES // 1024]
    slow = DESCRIPTION["components"]["responses"]["TooSlow"]["description"]
    assert numbers(slow) == [int(BODY_SECONDS)]
    for name in ("EventBatchResult", "UpdateBatchResult"):
        properties = SCHEMAS[name]["properties"]
        assert properties["accepted"]["maximum"] == MOST_EVENTS
        index = properties["results"]["items"]["properties"]["index"]
        assert index["maximum"] == MOST_EVENTS - 1


def test_the_described_ways_to_send_a_key_are_understood() -> None:
    schemes = DESCRIPTION["components"]["securitySchemes"]
    named = {name for requirement in DESCRIPTION["security"] for name in requirement}
    assert named == set(schemes) - {"metricsToken"}
    sent = {
        "apiKey": {schemes["apiKey"]["name"]: "bzb_1"},
        "bearer": {"authorization": f"{schemes['bearer']['scheme']} bzb_1"},
        "basic": {"authorization": f"{schemes['basic']['scheme']} YnpiXzE6"},
    }
    assert {name: key_of(headers) for name, headers in sent.items()} == dict.fromkeys(
        named, "bzb_1"
    )
    assert f"`{Scope.SEND}`" in schemes["apiKey"]["description"]


def test_every_example_matches_its_schema() -> None:
    checked = 0
    for media in _media(DESCRIPTION):
        for value in values(media).values():
            validate_value(media["schema"], value)
            checked += 1
    assert checked > 30


def _media(item: Any) -> Iterable[Mapping[str, Any]]:
    """Yield every content of requests and responses."""
    if isinstance(item, dict):
        yield from item.get("content", {}).values()
        for part in item.values():
            yield from _media(part)
