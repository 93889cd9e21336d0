"""Facts as programs are told them: the same JSON from the command line and from the read API."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.health.flag_overrides import StoredOverride
from services.health.explanation import Explanation
from services.times import iso_milliseconds


def plain(value: Any) -> Any:
    """A value for JSON: instants in ISO 8601 with milliseconds."""
    if isinstance(value, datetime):
        return iso_milliseconds(value)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def explained(found: Explanation) -> dict[str, Any]:
    """Why a company stands where it stands."""
    return {
        "id": found.company.external_id,
        "name": found.company.name,
        "health_status": found.status,
        "score": found.score,
        "previous_status": found.company.previous_status,
        "changed_at": found.company.changed_at,
        "rules_version": found.rules_version,
        "flags": [
            {
                **vars(flag),
                "reason": flag.reason.name.lower(),
                "override": overridden(flag.override) if flag.override else None,
            }
            for flag in found.flags
        ],
        "transitions": status_changes(found),
    }


def status_changes(found: Explanation) -> list[dict[str, Any]]:
    """A company's history without what changed nothing but flags, oldest first."""
    return [
        {
            "at": transition.at,
            "from": transition.from_status,
            "to": transition.to_status,
            "cause": transition.cause,
        }
        for transition in found.transitions
        if transition.from_status != transition.to_status
    ]


def overridden(one: StoredOverride) -> dict[str, Any]:
    """An override of a flag."""
    return {
        "flag": one.flag,
        "kind": str(one.kind),
        "status": one.status,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "reason": one.reason,
        "owner": one.owner,
        "made_by": one.made_by,
        "ended_at": one.ended_at,
        "ended_by": one.ended_by,
        "ended_because": one.ended_because,
    }
