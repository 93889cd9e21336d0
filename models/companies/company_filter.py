"""Filters of lists of companies: by text, status, flag level and fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from models.companies.companies import CORE_FIELDS
from models.database import json

NOT_APPLICABLE = "N/A"


@dataclass(frozen=True)
class CompanyFilter:
    """The conditions that companies must meet; None or empty is no condition.

    `text` is part of the name or of the client's own id, regardless of case. The level of `flag` is
    `flag_status`, which may be `N/A`, or one of `flag_statuses` if there are any. `fields` lists
    custom and core fields with their accepted values, see `possible_values`. One of
    `owners` is the whole owner, regardless of case. `left` is whether they left.
    """

    text: str | None = None
    status: str | None = None
    flag: str | None = None
    flag_status: str | None = None
    flag_statuses: tuple[str, ...] = ()
    fields: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    owners: tuple[str, ...] = ()
    left: bool | None = None


ALL_COMPANIES = CompanyFilter()


def possible_values(text: str) -> tuple[Any, ...]:
    """Return the values that a typed text may mean: itself, and the number or boolean it spells."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return (text,)
    return (text,) if isinstance(value, str | list | dict) else (text, value)


def filter_condition(
    organization_id: int, company_filter: CompanyFilter
) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on `companies` for a filter, and its parameters."""
    if any(
        "\0" in text for text in _texts(company_filter)
    ):  # PostgreSQL refuses a parameter with it
        return "false", {"organization_id": organization_id}
    conditions = ["organization_id = %(organization_id)s"]
    parameters: dict[str, Any] = {"organization_id": organization_id}
    if company_filter.text:
        conditions.append("searched like '%%' || lower(%(text)s) || '%%'")
        parameters["text"] = _escape_pattern(company_filter.text)
    if company_filter.status is not None:
        conditions.append("health_status = %(status)s")
        parameters["status"] = company_filter.status
    if company_filter.flag is not None:
        conditions.append(
            "id in (select company_id from flag_states where"
            " organization_id = %(organization_id)s and flag = %(flag)s"
            f" and {_level(company_filter)})"
        )
        parameters |= {
            "flag": company_filter.flag,
            "flag_status": company_filter.flag_status,
            "flag_statuses": list(company_filter.flag_statuses),
        }
    if company_filter.owners:
        conditions.append(
            "lower(owner) = any(array(select lower(t) from unnest(%(owners)s::text[]) as t))"
        )
        parameters["owners"] = list(company_filter.owners)
    if company_filter.left is not None:
        conditions.append(f"left_on is {'not ' if company_filter.left else ''}null")
    for number, (name, values) in enumerate(company_filter.fields):
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


def _level(company_filter: CompanyFilter) -> str:
    """Return an SQL condition on the status of a flag."""
    if company_filter.flag_statuses:
        return "status = any(%(flag_statuses)s)"
    if company_filter.flag_status in (None, NOT_APPLICABLE):
        return "status is null"
    return "status = %(flag_status)s"


def _texts(company_filter: CompanyFilter) -> Iterator[str]:
    """Yield every text of a filter."""
    texts = (
        company_filter.text,
        company_filter.status,
        company_filter.flag,
        company_filter.flag_status,
    )
    yield from filter(None, (*texts, *company_filter.flag_statuses, *company_filter.owners))
    for name, values in company_filter.fields:
        yield name
        yield from (value for value in values if isinstance(value, str))


def _escape_pattern(text: str) -> str:
    """Escape a text so that a pattern of `like` matches it literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
