"""Filters of lists of companies: by a search, status, flags, columns and fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.companies.filters.conditions import Condition
from models.companies.filters.found_text import found_text

NOT_APPLICABLE = "N/A"


@dataclass(frozen=True)
class CompanyFilter:
    """The conditions that companies must meet; None or empty is no condition.

    `text` is searched for, see `found_text`. Each of `flags` has `flag_status`, which may be `N/A`,
    or one of `flag_statuses` if it is None; none of `without_flags` has one of `flag_statuses`.
    `left` is whether they left.
    """

    text: str | None = None
    status: str | None = None
    flags: tuple[str, ...] = ()
    flag_status: str | None = None
    flag_statuses: tuple[str, ...] = ()
    without_flags: tuple[str, ...] = ()
    left: bool | None = None
    conditions: tuple[Condition, ...] = ()


ALL_COMPANIES = CompanyFilter()


def filter_condition(
    organization_id: int, company_filter: CompanyFilter, *, by_row: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return an SQL condition on `companies` for a filter, and its parameters.

    `by_row` is for a scan that is expected to read few companies, see `found_text`.
    """
    conditions = ["organization_id = %(organization_id)s"]
    parameters: dict[str, Any] = {"organization_id": organization_id}
    if company_filter.status is not None:
        conditions.append("health_status = %(status)s")
        parameters["status"] = company_filter.status
    if company_filter.left is not None:
        conditions.append(f"left_on is {'not ' if company_filter.left else ''}null")
    for term, values in (
        *_flag_terms(company_filter),
        *_other_terms(company_filter, by_row=by_row),
    ):
        conditions.append(term)
        parameters |= values
    return " and ".join(conditions), parameters


def _flag_terms(company_filter: CompanyFilter) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield SQL conditions on flags with their parameters."""
    having = (
        "select company_id from flag_states where organization_id = %(organization_id)s and flag ="
    )
    raised = "status = any(%(flag_statuses)s)"
    status = raised if company_filter.flag_status is None else "status = %(flag_status)s"
    if company_filter.flag_status == NOT_APPLICABLE:
        status = "status is null"
    values = {
        "flag_status": company_filter.flag_status,
        "flag_statuses": list(company_filter.flag_statuses),
    }
    for number, flag in enumerate(company_filter.flags):
        name = f"flag_{number}"
        yield f"id in ({having} %({name})s and {status})", values | {name: flag}
    for number, flag in enumerate(company_filter.without_flags):
        name = f"without_flag_{number}"
        yield f"not id in ({having} %({name})s and {raised})", values | {name: flag}


def _other_terms(
    company_filter: CompanyFilter, *, by_row: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield SQL conditions on columns and fields with their parameters, the quickest first."""
    for number, condition in enumerate(company_filter.conditions):
        yield condition.sql(f"c{number}")
    if company_filter.text:
        yield found_text(company_filter.text, by_row=by_row)
