"""The JSON Schema of rule files, which editors use for completion, hints and validation.

It covers the structure of a file, not its meaning: whether a flag's event is listed and whether a
phrase can be parsed is checked by `rules.file.rule_file`.
"""

from typing import Any

from rules.file.flag import ANY_EVENT, LARGEST_WEIGHT
from rules.file.notify import LONGEST_ADDRESS, LONGEST_URL, MOST_ADDRESSES, MOST_ENTRIES
from rules.file.rule_file import MOST_NAMES
from rules.file.source import LONGEST_NAME
from rules.language.examples import DIGESTS, NOTIFY_WHEN, PHRASES, QUIET, TOGETHER
from rules.notify.entries import OWNER, Service
from rules.statuses import DEFAULT_STATUSES, NOT_APPLICABLE

Schema = dict[str, Any]


_TEXT: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
"""Scalars that are read as a text: YAML parses `2026` and `true` as other types."""

_NAME: Schema = {**_TEXT, "maxLength": LONGEST_NAME}

_FIELD: Schema = {"type": "string", "pattern": r"^company(\.[^.]+)+$"}
"""A field of a company."""


def rule_schema() -> Schema:
    """Return the JSON Schema (2020-12) of a rule file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Brazebee health rules",
        "description": "What a healthy customer does, and what trouble looks like.",
        **_object(
            {
                "version": {"description": "The version of this format: always 1.", "const": 1},
                "statuses": _statuses(),
                "events": _events(),
                "team": _team(),
                "defaults": _object(
                    {"new_company": _reference("new_company")},
                    "What applies to every flag without a value of its own.",
                ),
                "flags": {
                    "description": "The flags. A company's status is the worst that any raises.",
                    "type": ["array", "null"],
                    "items": _reference("flag"),
                },
                "notify": {
                    "description": "Whom to notify of which health changes, and when.",
                    "type": ["array", "null"],
                    "items": _reference("notify"),
                    "maxItems": MOST_ENTRIES,
                },
            },
            required=["version"],
        ),
        "$defs": {
            "flag": _flag(),
            "notify": _notify(),
            "phrase": _phrase(),
            "several_phrases": _list(_reference("phrase")),
            "new_company": _new_company(),
            "duration": _duration(),
            "value": {"type": ["string", "number", "boolean", "null"]},
            "values": {"anyOf": [_reference("value"), _list(_reference("value"))]},
        },
    }


def _statuses() -> Schema:
    return {
        "description": "What a company's health is called, from best to worst; at least two.",
        "type": "array",
        "items": _NAME,
        "minItems": 2,
        "uniqueItems": True,
        "default": list(DEFAULT_STATUSES),
    }


def _events() -> Schema:
    settings = {
        "name": {"description": "What people call this event.", **_NAME},
        "enabled": {
            "description": "Whether the event is taken; `false` refuses it from now on.",
            "type": "boolean",
            "default": True,
        },
        "called": {
            "description": "The names by which other products send this event, exactly as they"
            " are sent, such as the event names of Segment. Each stands for one event.",
            "type": "array",
            "items": _NAME,
            "maxItems": MOST_NAMES,
            "uniqueItems": True,
            "examples": [["Report Created"]],
        },
    }
    return {
        "description": "The events that applications may send, by their key."
        " An event that is not listed here is refused.",
        "type": ["object", "null"],
        "propertyNames": {"maxLength": LONGEST_NAME, "not": {"const": ANY_EVENT}},
        "additionalProperties": {
            "description": "An event that applications may send.",
            "anyOf": [_object(settings), {"type": "null"}],
        },
    }


def _team() -> Schema:
    fields = {
        "owner": ("Who looks after the company, by name or email", "csm"),
        "value": ("What the company is worth, a number", "arr"),
        "renewal": ("The day on which its contract renews", "renewal_date"),
    }
    return _object(
        {
            key: {"description": f"{what}: a field.", **_FIELD, "examples": [f"company.{field}"]}
            for key, (what, field) in fields.items()
        },
        "Which fields of a company lists show to the team.",
    )


def _flag() -> Schema:
    return _object(
        _flag_basics() | _flag_refinements(),
        "A flag watches a company for one kind of trouble and says, in words, when there is some.",
        required=["flag", "when"],
    )


def _flag_basics() -> Schema:
    return {
        "flag": {
            "description": "The flag's name, as it is told to people; each has its own.",
            **_NAME,
        },
        "enabled": {
            "description": "`false` pauses the flag: it is not judged, as if it were not there.",
            "type": "boolean",
            "default": True,
        },
        "event": {
            "description": f"The event that is counted; `{ANY_EVENT}` counts all of them."
            " A flag about fields of the company alone needs none.",
            **_TEXT,
            "examples": [ANY_EVENT],
        },
        "where": {
            "description": "Count only events with these values in their `data`;"
            " of a list, any value will do.",
            **_by_field("data", {"data.source": "web"}),
        },
        "when": {
            "description": "The phrase that makes each status true, by the status's name."
            " The worst one that is met counts.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": _reference("phrase"),
            "examples": [{DEFAULT_STATUSES[1]: PHRASES[0]}],
        },
        "note": {
            "description": "Why this flag is there, for whoever reads that it was raised.",
            **_TEXT,
        },
    }


def _flag_refinements() -> Schema:
    return {
        "recover": {
            "description": "Once raised, the flag stays raised until this phrase is met."
            " Ask for more than the rule does, so that it does not flicker.",
            **_reference("phrase"),
        },
        "for": {
            "description": "For how long a phrase must have been met before the flag is raised.",
            **_reference("duration"),
        },
        "new_company": _reference("new_company"),
        "applies_to": {
            "description": "Judge only companies with these values in their fields; of a list,"
            f" any value will do. For others the flag is {NOT_APPLICABLE}.",
            **_by_field("company", {"company.plan": ["Pro", "Enterprise"]}),
        },
        "if_missing": {
            "description": "The flag's status while there is nothing to judge by, such as a field"
            f" that is not known: one of `statuses`, or {NOT_APPLICABLE} (as without this).",
            **_TEXT,
            "examples": [NOT_APPLICABLE, *DEFAULT_STATUSES],
            "default": NOT_APPLICABLE,
        },
        "ignore_if": {
            "description": "For `down` and `up`: do not judge where the window before had so few"
            " events that a change says nothing.",
            "type": "string",
            "pattern": "^ *[Pp][Rr][Ee][Vv][Ii][Oo][Uu][Ss] ",
            "examples": ["previous under 20"],
        },
        "weight": {
            "description": "How much the flag counts in the score, beside the others.",
            "type": "number",
            "minimum": 0,
            "maximum": LARGEST_WEIGHT,
            "default": 1,
        },
    }


def _notify() -> Schema:
    properties = {
        "to": {"description": "Whom to notify: one service.", **_target()},
        "when": {
            "description": "Which changes; several are joined by `or`."
            " Without it, every change of status.",
            "type": "string",
            "minLength": 1,
            "examples": list(NOTIFY_WHEN),
            "default": "status changes",
        },
        "where": {
            "description": "Only of companies with these values in their fields; of a list, any"
            " value will do.",
            **_by_field("company", {"company.plan": ["Pro", "Enterprise"]}),
        },
        "group": {
            "description": "Send what follows within this time in the same message.",
            "type": "string",
            "examples": list(TOGETHER),
        },
        "quiet": {
            "description": "Hours and days in which nothing is sent; it follows afterwards.",
            "type": "string",
            "examples": list(QUIET),
        },
        "digest": {
            "description": "Send everything at these times only.",
            "type": "string",
            "examples": list(DIGESTS),
        },
    }
    return _object(properties, "An entry of `notify`.", required=["to"])


def _target() -> Schema:
    destination = {**_NAME, "maxLength": LONGEST_URL, "examples": ["cs-alerts"]}
    address = {"type": "string", "maxLength": LONGEST_ADDRESS}
    how = "the name of a destination, or its URL, which is kept as a secret."
    services = {
        Service.SLACK.value: {"description": f"Slack: {how}", **destination},
        Service.TEAMS.value: {"description": f"Microsoft Teams: {how}", **destination},
        Service.EMAIL.value: {
            "description": f"`{OWNER}`, the owner of each company, or addresses.",
            "anyOf": [
                {**address, "examples": [OWNER, "head@example.com"]},
                {**_list(address), "maxItems": MOST_ADDRESSES},
            ],
        },
    }
    return _object(services) | {"minProperties": 1, "maxProperties": 1}


def _phrase() -> Schema:
    return {
        "description": "A phrase such as `less than 5 times in 7 days`,"
        " or `all`, `any` or `not` over phrases.",
        "anyOf": [
            {"type": "string", "minLength": 1, "examples": list(PHRASES)},
            _combined("all", "Every one of these phrases is met.", "several_phrases"),
            _combined("any", "At least one of these phrases is met.", "several_phrases"),
            _combined("not", "This phrase is not met.", "phrase"),
        ],
    }


def _new_company() -> Schema:
    return {
        "description": "`judge at once`, or how long a company must be known before it is judged;"
        f" until then the flag is {NOT_APPLICABLE}.",
        "type": "string",
        "pattern": "^ *([Jj][Uu][Dd][Gg][Ee]|[Ww][Aa][Ii][Tt]) ",
        "examples": ["judge at once", "wait 7 days"],
        "default": "judge at once",
    }


def _duration() -> Schema:
    return {
        "description": "A whole number of seconds, minutes, hours, days or weeks.",
        "type": "string",
        "pattern": "^ *[0-9]+ *[A-Za-z]+ *$",
        "examples": ["12 hours", "3 days"],
    }


def _combined(word: str, description: str, over: str) -> Schema:
    return _object({word: {"description": description, **_reference(over)}}, required=[word])


def _object(
    properties: Schema, description: str | None = None, *, required: list[str] | None = None
) -> Schema:
    schema: Schema = {"description": description} if description else {}
    schema |= {"type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _by_field(root: str, example: Schema) -> Schema:
    return {
        "type": "object",
        "patternProperties": {rf"^{root}(\.[^.]+)+$": _reference("values")},
        "additionalProperties": False,
        "examples": [example],
    }


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of, "minItems": 1}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}
