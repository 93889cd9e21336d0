"""Work items by the API: the worklist with its filters, as the description says."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from models.database import transaction
from models.keys import api_keys
from models.keys.scopes import Scope
from tests.support.dashboard.application import NOW, Dashboard
from tests.support.dashboard.worklist import Sick, track_sick

SICK: Sick = {
    "old": (30, "ann@acme.com", 100),
    "dear": (10, "ann@acme.com", 9000.5),
    "other": (8, "Ben", 500),
    "orphan": (7, None, None),
}


class Api:
    """A client that checks every answer against the description."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.client = dashboard.app.test_client()
        organization = dashboard.organization("acme")
        self.world = track_sick(organization, SICK)
        self.world.judge()
        dashboard.person("ann@acme.com", [(organization, "editor")])
        dashboard.person("eve@acme.com", [(organization, "editor")])
        with transaction():
            self.key = api_keys.create(organization.id, "reader", [Scope.READ])
        self.description = self.client.get("/v1/openapi.json").get_json()

    def get(self, expected: int = 200, **query: Any) -> dict[str, Any]:
        headers = {"x-api-key": self.key}
        answer = self.client.get("/v1/work-items", query_string=query, headers=headers)
        assert answer.status_code == expected, answer.text
        described = self.description["paths"]["/work-items"]["get"]["responses"][str(expected)]
        components = self.description["components"]
        if "$ref" in described:
            described = components["responses"][described["$ref"].rpartition("/")[2]]
        schema = described["content"]["application/json"]["schema"]
        Draft202012Validator(
            {**schema, "components": components}, format_checker=FormatChecker()
        ).validate(answer.get_json())
        body: dict[str, Any] = answer.get_json()
        return body

    def companies(self, **query: Any) -> list[str]:
        return [item["company"]["id"] for item in self.get(**query)["work_items"]]


@pytest.fixture
def api(dashboard: Dashboard) -> Api:
    return Api(dashboard)


def test_the_worst_and_most_valuable_items_come_first_in_pages(api: Api) -> None:
    first = api.get(limit=3)
    assert api.companies(limit=3, after=first["next"]) == ["orphan"]
    old, dear, _ = first["work_items"]
    assert [item["company"]["id"] for item in first["work_items"]] == ["old", "dear", "other"]
    assert (old["status"], old["state"], old["snoozed"]) == ("Critical", "open", False)
    assert (dear["owner"], dear["value"], dear["next_step"]) == (
        "ann@acme.com",
        9000.5,
        "Call them.",
    )
    assert dear["assignee"]["email"] == "ann@acme.com"
    assert not dear["is_assigned"]
    assert dear["closed_at"] is None


def test_items_are_filtered_as_in_the_worklist(api: Api) -> None:
    with transaction():
        api.world.rows(
            "update work_items set assignee_id = (select id from people where email ="
            " 'eve@acme.com'), state = 'working' where organization_id = %(id)s and company_id ="
            " (select id from companies where organization_id = %(id)s and external_id = 'other')"
            " returning id"
        )
    assert api.companies(assignee="ANN@acme.com") == ["old", "dear"]
    assert api.companies(assignee="eve@acme.com") == ["other"]
    assert api.companies(assignee="") == ["orphan"]
    assert api.companies(state="working") == ["other"]
    assert api.companies(company="dear") == ["dear"]
    assert api.companies(status="Critical") == ["old"]
    assert api.companies(owner="ben") == ["other"]
    assert api.companies(flag="None") == []
    api.world.track("dear", NOW)
    api.world.judge("dear")
    [closed] = api.get(state="closed")["work_items"]
    assert (closed["state"], closed["closed_because"]) == ("closed", "recovery")
    assert api.companies(company="dear", state="all") == []


def paged(api: Api, **query: Any) -> list[str]:
    """Return the companies of all pages of one item each."""
    found: list[str] = []
    following: str | None = None
    while not found or following:
        after = {"after": following} if following else {}
        page = api.get(limit=1, **query, **after)
        found += [item["company"]["id"] for item in page["work_items"]]
        following = page["next"]
    return found


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("status", ["dear", "other", "orphan", "old"]),
        ("-status", ["old", "dear", "other", "orphan"]),
        ("value", ["old", "other", "dear", "orphan"]),
        ("-value", ["dear", "other", "old", "orphan"]),
        ("due", ["other", "dear", "old", "orphan"]),
        ("-due", ["dear", "other", "old", "orphan"]),
        ("raised", ["old", "dear", "other", "orphan"]),
        ("-raised", ["orphan", "other", "dear", "old"]),
        ("renewal", ["old", "dear", "other", "orphan"]),
    ],
)
def test_items_are_in_the_order_that_is_asked_for_on_all_pages(
    api: Api, sort: str, expected: list[str]
) -> None:
    with transaction():
        api.world.rows(
            "update work_items i set due_on = case c.external_id when 'other' then date"
            " '2026-02-01' when 'dear' then date '2026-03-01' end from companies c where"
            " i.organization_id = %(id)s and c.organization_id = %(id)s and c.id = i.company_id"
            " returning i.id"
        )
    assert paged(api, sort=sort) == expected


def test_closed_items_are_sorted_by_when_they_were_closed(api: Api) -> None:
    for company in ("dear", "orphan"):
        api.world.track(company, NOW)
        api.world.judge(company)
    with transaction():
        api.world.rows(
            "update work_items set closed_at = closed_at - interval '1 day' where organization_id"
            " = %(id)s and closed_at is not null and value is not null returning id"
        )
    assert paged(api, state="closed") == ["orphan", "dear"]
    assert paged(api, state="closed", sort="closed") == ["dear", "orphan"]
    [detail] = api.get(400, state="closed", sort="due")["details"]
    assert detail["message"].startswith("Expected one of status, value, renewal, raised, closed,")
    [detail] = api.get(400, sort="-closed")["details"]
    assert detail["message"].startswith("Expected one of status, value, renewal, due, raised,")


def test_a_cursor_is_refused_in_another_order(api: Api) -> None:
    cursor = api.get(limit=1, sort="value")["next"]
    for sort in ("-value", "raised", "status"):
        [detail] = api.get(400, limit=1, sort=sort, after=cursor)["details"]
        assert detail["path"] == ["after"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "late"),
        ("assignee", "nobody@acme.com"),
        ("company", "none"),
        ("after", "x"),
        ("due", "late"),
        ("sort", "name"),
        ("sort", "--value"),
    ],
)
def test_an_invalid_parameter_is_reported(api: Api, name: str, value: str) -> None:
    [detail] = api.get(400, **{name: value})["details"]
    assert detail["path"] == [name]
