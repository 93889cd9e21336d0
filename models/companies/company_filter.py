"""Which companies are looked for: by a text, a status, a flag, and fields."""

from dataclasses import dataclass
from typing import Any

import orjson

from models.companies.companies import CORE_FIELDS
from models.database import json

NOT_APPLICABLE = "N/A"


@dataclass(frozen=True)
class CompanyFilter:
    """Which companies; what is None or empty does not matter.

    `text` is part of the name or of the client's own id, in any case. `flag` stands at
    `flag_status`, which may be `N/A`, or at one of `flag_statuses` where any is given. `fields`
    holds, for custom and core fields, the values of which one must stand there, see `meanings`.
    """

    text: str | None = None
    status: str | None = None
    flag: str | None = None
    flag_status: str | None = None
    flag_statuses: tuple[str, ...] = ()
    fields: tuple[tuple[str, tuple[Any, ...]], ...] = ()


ALL_COMPANIES = CompanyFilter()


def possible_values(text: str) -> tuple[Any, ...]:
    """What a value may be that a person typed: the text, and the number or truth it spells."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return (text,)
    return (text,) if isinstance(value, str | list | dict) else (text, value)


def filter_condition(organization_id: int, wanted: CompanyFilter) -> tuple[str, dict[str, Any]]:
    """SQL for what a filter finds in `companies`, and its parameters."""
    if "\\x00" in repr(wanted):  # which PostgreSQL cannot even be asked for
        return "false", {"organization_id": organization_id}
    conditions = ["organization_id = %(organization_id)s"]
    parameters: dict[str, Any] = {"organization_id": organization_id}
    if wanted.text:
        conditions.append("searched like '%%' || lower(%(text)s) || '%%'")
        parameters["text"] = _literally(wanted.text)
    if wanted.status is not None:
        conditions.append("health_status = %(wanted_status)s")
        parameters["wanted_status"] = wanted.status
    if wanted.flag is not None:
        stands = "status = %(flag_status)s"
        if wanted.flag_statuses:
            stands = "status = any(%(flag_statuses)s)"
        elif wanted.flag_status in (None, NOT_APPLICABLE):
            stands = "status is null"
        conditions.append(
            "id in (select company_id from flag_states where"
            f" organization_id = %(organization_id)s and flag = %(flag)s and {stands})"
        )
        parameters |= {
            "flag": wanted.flag,
            "flag_status": wanted.flag_status,
            "flag_statuses": list(wanted.flag_statuses),
        }
    for number, (name, values) in enumerate(wanted.fields):
        if name in CORE_FIELDS:
            conditions.append(f"{name} = any(%(values_{number})s)")
            parameters[f"values_{number}"] = [str(value) for value in values]
            continue
        # One term for each value: the index on `traits` takes no `any`.
        terms = [f"traits @> %(value_{number}_{place})s" for place in range(len(values))]
        conditions.append(f"({' or '.join(terms) or 'false'})")
        for place, value in enumerate(values):
            parameters[f"value_{number}_{place}"] = json({name: value})
    return " and ".join(conditions), parameters


def _literally(text: str) -> str:
    """A text as a pattern of `like` that finds just it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
