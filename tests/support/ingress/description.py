"""The OpenAPI description of the ingress: its operations, examples and schemas."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from ruamel.yaml import YAML

from config.files import ROOT

SERVED = ROOT / "ingress/openapi/openapi.yaml"
DESCRIPTION: dict[str, Any] = YAML(typ="safe").load(SERVED)

formats = FormatChecker(formats=())


@formats.checks("date-time", raises=ValueError)
def _is_date_time(value: Any) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@formats.checks("email")
def _is_email(value: Any) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[^@\s]+@[^@\s]+\.[a-z]+", value))


class Operation(NamedTuple):
    """An operation; its path has an example instead of the id."""

    method: str
    template: str
    path: str
    content: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def response(self, status: int) -> Mapping[str, Any]:
        return resolve(self.content["responses"][str(status)])

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in self.content["responses"]]

    @property
    def body_schema(self) -> Mapping[str, Any]:
        return resolve(self._json_body["schema"])

    @property
    def examples(self) -> dict[str, Any]:
        """The bodies of requests that are examples, by their names."""
        if "requestBody" not in self.content:
            return {}
        return values(self._json_body)

    @property
    def _json_body(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self.content["requestBody"]["content"]["application/json"]
        return body


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(_operations())


def sending() -> list[Operation]:
    """The operations that have a body."""
    return [each for each in operations() if "requestBody" in each.content]


def _operations() -> Iterator[Operation]:
    for template, methods in DESCRIPTION["paths"].items():
        for method, content in methods.items():
            path = template
            for parameter in map(resolve, content.get("parameters", ())):
                if parameter["in"] == "path":
                    path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
            yield Operation(method.upper(), template, path, content)


def resolve(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references within the description."""
    while "$ref" in item:
        target: Any = DESCRIPTION
        for key in item["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        item = target
    return item


def values(media: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of examples by their names."""
    return {name: example["value"] for name, example in media.get("examples", {}).items()}


def validate(schema: Mapping[str, Any], value: Any) -> None:
    whole = {**schema, "components": DESCRIPTION["components"]}
    Draft202012Validator(whole, format_checker=formats).validate(value)


def is_valid(schema: Mapping[str, Any], value: Any) -> bool:
    try:
        validate(schema, value)
    except ValidationError:
        return False
    return True


def check_answer(
    operation: Operation, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    """Check an answer against what is described for its status: body, headers, and media type."""
    assert status in operation.statuses, f"{operation} does not describe {status}: {body!r}"
    described = operation.response(status)
    sent = {name.lower(): value for name, value in headers.items()}
    [(media_type, media)] = described["content"].items()
    assert sent["content-type"].partition(";")[0] == media_type
    content = json.loads(body) if media_type == "application/json" else body.decode()
    validate(media["schema"], content)
    documented = {
        name.lower(): resolve(each) for name, each in described.get("headers", {}).items()
    }
    for name, header in documented.items():
        if name not in sent:
            assert not header.get("required"), f"{name} is missing"
        else:
            kind = header["schema"]["type"]
            validate(header["schema"], int(sent[name]) if kind == "integer" else sent[name])
    assert {name for name in sent if name.startswith(("x-", "retry-", "www-"))} <= set(documented)
