"""Explanations and overrides as JSON, the same on the command line and in the read API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.health.flag_overrides import StoredOverride
from rules.flags import Reason
from services.health.explanation import Explanation, FlagExplanation
from services.times import iso_milliseconds

_KEYS = {"evidence": "seen", "changed_by": "lacks"}
"""The keys of the API where they differ from the attributes of `FlagExplanation`."""

_REASONS = {Reason.WAITING: "waits", Reason.PENDING: "ripening"}
"""The API's words where they differ from the names of `Reason`."""


def json_value(value: Any) -> Any:
    """Return a value for JSON: instants in ISO 8601 with milliseconds."""
    if isinstance(value, datetime):
        return iso_milliseconds(value)
    if isinstance(value, Mapping):
        return {key: json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(item) for item in value]
    return value


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return why a company has its status."""
    company = explanation.company
    return {
        "id": company.external_id,
        "name": company.name,
        "health_status": explanation.status,
        "score": explanation.score,
        "previous_status": company.previous_status,
        "changed_at": company.changed_at,
        "rules_version": explanation.rules_version,
        "flags": [_flag(flag) for flag in explanation.flags],
        "transitions": status_changes(explanation),
    }


def reason_json(reason: Reason) -> str:
    """Return the API's word for why a flag has its status."""
    return _REASONS.get(reason, reason.name.lower())


def _flag(flag: FlagExplanation) -> dict[str, Any]:
    return {_KEYS.get(name, name): value for name, value in vars(flag).items()} | {
        "reason": reason_json(flag.reason),
        "override": override_json(flag.override) if flag.override else None,
    }


def status_changes(explanation: Explanation) -> list[dict[str, Any]]:
    """Return the changes of a company's status, oldest first, without those of flags alone."""
    return [
        {
            "at": transition.at,
            "from": transition.from_status,
            "to": transition.to_status,
            "cause": transition.cause,
        }
        for transition in explanation.transitions
        if transition.from_status != transition.to_status
    ]


def override_json(override: StoredOverride) -> dict[str, Any]:
    """Return an override of a flag."""
    return {
        "flag": override.flag,
        "kind": str(override.kind),
        "status": override.status,
        "starts_at": override.starts_at,
        "ends_at": override.ends_at,
        "reason": override.reason,
        "owner": override.owner,
        "made_by": override.made_by,
        "ended_at": override.ended_at,
        "ended_by": override.ended_by,
        "ended_because": override.ended_because,
    }
