"""Fields of companies and users that are sent without an event."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.companies import company_list, users
from models.companies.company_list import Order, Sorting
from models.companies.users import ListedUser
from models.database import transaction
from services.events.records import FieldUpdate
from services.events.updates import (
    Outcome,
    PlannedChange,
    Subject,
    UnknownUsers,
    plan_updates,
    store_updates,
)
from services.rules.rule_books import RuleBooks
from tests.support.properties import effort
from tests.support.world import World

RULES = """
version: 1
statuses: [Healthy, At Risk, Critical]
events: {login: }
flags:
  - flag: Logs in
    event: login
    when: {At Risk: less than 1 time in 10 seconds}
  - flag: Pays
    when: {Critical: company.plan is Free}
"""


@pytest.fixture
def acme(settings: object) -> World:
    return World.create(RULES)


def listed(world: World, company: str = "acme") -> company_list.ListedCompany:
    with transaction():
        page = company_list.read_page(world.id, sorting=Sorting(Order.LAST_EVENT))
    return next(each for each in page.companies if each.id == company)


def users_of(world: World, company: str = "acme") -> list[ListedUser]:
    with transaction():
        return users.read_page(world.id, world.company_id(company))[0]


def last_events(world: World, company: str = "acme") -> dict[str, float | None]:
    return {
        user.id: None if user.last_event_at is None else world.seconds(user.last_event_at)
        for user in users_of(world, company)
    }


def test_an_update_creates_its_company_which_is_judged_without_any_event(acme: World) -> None:
    to_evaluate = acme.store(acme.update("acme", 0, plan="Pro"))
    company = acme.company()
    assert to_evaluate == [company.id]
    assert (company.name, company.first_seen_at) == ("acme", acme.at(0))
    assert company.traits.custom == {"plan": "Pro"}

    acme.judge(at=1)
    assert acme.crossings() == [(0, "At Risk", "event")]
    assert acme.rows("select from events where organization_id = %(id)s") == []
    assert acme.rows("select from event_arrivals where organization_id = %(id)s") == []
    assert (listed(acme).last_event_at, listed(acme).health_status) == (None, "At Risk")


def test_an_update_that_changes_a_flag_is_judged_at_its_own_time(acme: World) -> None:
    acme.track("acme", 0, plan="Pro")
    acme.judge(at=0)
    acme.store(acme.update("acme", 4, plan="Free"))
    acme.judge(at=5)
    assert acme.crossings() == [(4, "Critical", "event")]
    assert listed(acme).last_event_at == acme.at(0)


def test_an_update_that_changes_no_flag_asks_for_no_judgement(acme: World) -> None:
    acme.track("acme", 0, plan="Pro")
    acme.judge(at=0)
    assert acme.store(acme.update("acme", 4, plan="Pro", industry="Bees")) == []
    assert acme.company().traits.custom == {"plan": "Pro", "industry": "Bees"}


def test_several_updates_after_each_other_are_all_judged(acme: World) -> None:
    acme.track("acme", 0, plan="Pro")
    acme.judge(at=0)
    acme.store(
        acme.update("acme", 4, plan="Free"),
        acme.update("acme", 5, plan="Pro"),
        acme.update("acme", 6, plan="Free"),
    )
    acme.judge(at=7, stored_until=3)
    assert acme.crossings() == [
        (4, "Critical", "event"), (5, "Healthy", "event"), (6, "Critical", "event")
    ]  # fmt: skip


def test_an_event_that_repeats_its_values_wins_against_an_update_in_between(acme: World) -> None:
    """Such events are not read, unless an update came between them."""
    acme.track("acme", 0, plan="Pro")
    acme.track("acme", 1, plan="Pro")
    acme.store(acme.update("acme", 3, plan="Free"))
    acme.track("acme", 2, plan="Pro")
    assert acme.company().traits.custom["plan"] == "Free"
    acme.track("acme", 4, plan="Pro")
    assert acme.company().traits.custom["plan"] == "Pro"
    history = acme.rows(
        "select at, value from field_changes where organization_id = %(id)s and field = 'plan'"
        " order by at"
    )
    assert [(acme.seconds(row["at"]), row["value"]) for row in history] == [
        (0, "Pro"), (3, "Free"), (4, "Pro")
    ]  # fmt: skip


def test_a_company_has_its_id_as_name_until_a_name_is_sent(acme: World) -> None:
    acme.store(acme.event("acme", 5)._replace(company={}))
    assert acme.company().name == "acme"
    acme.store(acme.update("acme", 3, name="Acme Corp"))
    assert acme.company().name == "Acme Corp"
    acme.store(acme.event("acme", 6)._replace(company={}))
    assert acme.company().name == "Acme Corp"


def test_events_without_fields_are_stored_without_reading_their_company(acme: World) -> None:
    """Events of other products name the company, and nothing else of it."""
    acme.store(acme.event("acme", 5)._replace(company={}))
    before = acme.rows("select said, said_since from companies where organization_id = %(id)s")
    assert before[0]["said"] is not None
    assert before[0]["said_since"] == acme.at(5)


def test_an_older_update_moves_the_first_sight_back(acme: World) -> None:
    """A company that was known a year ago is not new."""
    acme.track("acme", 0)
    acme.store(acme.update("acme", -timedelta(days=365), received=1, industry="Bees"))
    assert acme.company().first_seen_at == acme.at(-timedelta(days=365))
    assert acme.company().unsettled_since == acme.at(0)


def test_a_user_moves_with_an_update_and_keeps_the_time_of_their_last_event(acme: World) -> None:
    acme.track("acme", 0, user="ann")
    acme.store(acme.update("bolt", 2, user="ann", user_fields={"email": "ann@bolt.example"}))
    [ann] = users_of(acme, "bolt")
    assert (ann.email, ann.last_event_at) == ("ann@bolt.example", acme.at(0))
    acme.store(acme.event("acme", 1, user="ann"))
    assert last_events(acme, "bolt") == {"ann": 1}
    acme.store(acme.event("acme", 3, user="ann"))
    assert last_events(acme, "acme") == {"ann": 3}


def test_a_user_without_an_event_is_listed_without_one(acme: World) -> None:
    acme.store(acme.update("acme", 2, user="ann"), acme.event("acme", 1, user="ben"))
    assert last_events(acme) == {"ann": None, "ben": 1}
    acme.store(acme.event("acme", 1, user="ann"))
    assert last_events(acme) == {"ann": 1, "ben": 1}
    acme.store(acme.event("acme", 4, user="ann"))
    assert last_events(acme) == {"ann": 4, "ben": 1}


def test_a_user_without_a_company_is_merged_where_they_are(acme: World) -> None:
    acme.track("acme", 0, user="ann")
    acme.store(acme.update(None, 5, user="ann", user_fields={"name": "Ann"}))
    [ann] = users_of(acme)
    assert (ann.name, ann.last_event_at) == ("Ann", acme.at(0))


FIELDS = st.fixed_dictionaries(
    {}, optional={"plan": st.sampled_from(["Free", "Pro"]), "seats": st.integers(1, 2)}
)
RECORDS = st.lists(st.tuples(st.booleans(), st.integers(0, 30), FIELDS), min_size=1, max_size=8)


@effort(2)
@given(RECORDS, st.lists(st.integers(1, 3), max_size=8))
def test_the_newest_value_of_each_field_wins_whatever_carried_it(
    acme: World, records: list[tuple[bool, int, dict[str, Any]]], sizes: list[int]
) -> None:
    world = World.create(RULES)
    recounted: dict[str, tuple[int, Any]] = {}
    for _, at, fields in records:
        for name, value in fields.items():
            if name not in recounted or at >= recounted[name][0]:
                recounted[name] = at, value
    sent = [
        world.event("acme", at)._replace(company=fields)
        if is_event
        else world.update("acme", at, **fields)
        for is_event, at, fields in records
    ]
    for size in [*sizes, len(sent)]:
        if sent:
            world.store(*sent[:size])
            sent = sent[size:]
    company = world.company()
    assert company.traits.custom == {name: value for name, (_, value) in recounted.items()}
    assert {name: company.traits.sent_at(name) for name in recounted} == {
        name: world.at(at) for name, (at, _) in recounted.items()
    }
    event_times = [at for is_event, at, _ in records if is_event]
    last = world.at(max(event_times)) if event_times else None
    assert company.traits.newest_event_at == last
    assert company.first_seen_at == world.at(min(at for _, at, _ in records))


# Imports


def plan(world: World, *updates: FieldUpdate) -> list[PlannedChange]:
    with transaction():
        return plan_updates(world.id, updates)


def import_(world: World, *updates: FieldUpdate) -> list[int]:
    with transaction():
        return store_updates(world.id, updates, RuleBooks())


def test_a_plan_says_what_storing_changes_and_writes_nothing(acme: World) -> None:
    acme.track("acme", 0, user="ann", plan="Pro")
    acme.judge(at=1)
    updates = [
        acme.update("acme", 5, plan="Free", name="Acme"),
        acme.update("bolt", 5, plan="Pro", user="ben"),
        acme.update("bolt", 5, user="ann"),
        acme.update(None, 5, user="ann", user_fields={"email": "ann@bolt.example"}),
    ]
    expected = [
        PlannedChange(Subject.COMPANY, "acme", Outcome.CHANGED, ("plan",)),
        PlannedChange(Subject.COMPANY, "bolt", Outcome.CREATED, ("plan",)),
        PlannedChange(Subject.USER, "ben", Outcome.CREATED),
        PlannedChange(Subject.USER, "ann", Outcome.CHANGED, ("email",), moves_to="bolt"),
    ]
    assert plan(acme, *updates) == expected
    assert plan(acme, *updates) == expected, "nothing was written"

    assert len(import_(acme, *updates)) == 2
    assert {each.outcome for each in plan(acme, *updates)} == {Outcome.UNCHANGED}
    assert import_(acme, *updates) == []


def test_users_whose_company_nobody_names_are_refused_before_anything_is_stored(
    acme: World,
) -> None:
    updates = [acme.update("acme", 5), acme.update(None, 5, user="ann")]
    assert plan(acme, *updates)[1] == PlannedChange(Subject.USER, "ann", Outcome.UNKNOWN_USER)
    with pytest.raises(UnknownUsers, match="ann"):
        import_(acme, *updates)
    assert acme.company_ids() == []


def test_an_import_is_not_judged_past_events_that_still_wait(acme: World) -> None:
    """It may have overtaken events of the company in the journal."""
    acme.track("acme", 0, plan="Pro")
    acme.judge(at=0)
    import_(acme, acme.update("acme", 12, plan="Free"))
    acme.judge(at=13, stored_until=9)
    assert acme.crossings() == []
    acme.track("acme", 9, plan="Pro")
    acme.judge(at=13)
    assert acme.crossings() == [(12, "Critical", "event")]
