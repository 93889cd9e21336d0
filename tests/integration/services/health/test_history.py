"""The history of companies whose past is imported."""

import pytest

from config.settings import Settings
from models.database import execute, transaction
from models.health.transition_feed import read_feed
from models.webhooks import delivery_log
from services.health.history import LONGEST_POSTPONED, QUIET
from tests.support.evaluations import FEW_LOGINS
from tests.support.imports.histories import MOMENT, import_past, past, recorded, send_live
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("settings")

REPORTS = """  - flag: Reports
    event: report
    when: {At Risk: at least 9 times in 5 seconds}
"""

QUIET_S = QUIET.total_seconds()


def test_an_import_records_what_the_same_events_sent_live_would_have() -> None:
    live, imported = World.create(FEW_LOGINS), World.create(FEW_LOGINS)
    times = [0, 3, 12.5, 20, 24, 600, 601, 602, 1800]
    send_live(live, [live.event(at=at) for at in times], 3600)
    import_past(imported, [imported.event(at=at) for at in times], 3600)
    assert len(recorded(live)) > 5
    assert recorded(imported) == recorded(live)
    assert {cause for *_, cause in imported.crossings()} == {"import"}
    live_company, company = live.company(), imported.company()
    assert company.changed_at == live_company.changed_at == imported.at(602 + 9)
    assert company.previous_status == live_company.previous_status
    assert company.first_seen_at == imported.at(0)
    assert company.traits.newest_event_at == imported.at(1800)
    assert company.history_until is None
    assert company.unsettled_since is None


def test_nothing_is_sent_for_the_past_and_later_changes_are_ordinary(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    import_past(world, [world.event(at=at) for at in (0, 1, 95)], 100)
    assert world.payloads() == []
    assert world.status() == "At Risk"
    world.track("acme", 104)
    world.judge(at=104)
    assert [crossing[2] for crossing in world.crossings()][-1] == "event"
    [sent] = world.payloads()
    assert (sent["cause"], sent["company"]["health_status"]) == ("event", "Healthy")
    assert sent["sequence"] == world.transitions()[-1].sequence


def test_a_change_between_the_import_and_its_judgement_is_announced(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    world.store(*past(world, *(world.event(at=at) for at in (92, 93)), at=100))
    world.judge(at=103.5)
    assert world.crossings() == [(92, "At Risk", "import"), (93, "Healthy", "import"),
                                 (102, "At Risk", "time")]  # fmt: skip
    [sent] = world.payloads()
    assert sent["timestamp"] == "2026-01-05T12:01:42.000Z"


def test_importing_the_same_again_changes_nothing() -> None:
    world = World.create(FEW_LOGINS)
    events = [world.event(at=at) for at in (0, 1, 50, 60, 61)]
    import_past(world, events, 100)
    before = world.transitions(), world.company()
    import_past(world, events, 200)
    assert (world.transitions(), world.company()) == before


def test_events_that_change_nothing_leave_the_recorded_history_as_it_is() -> None:
    world = World.create(FEW_LOGINS)
    import_past(world, [world.event(at=at) for at in (0, 1, 50)], 100)
    before = world.transitions()
    import_past(world, [world.event(at=70, key="report")], 200)
    assert world.transitions() == before


def test_more_of_the_past_keeps_the_history_before_it_and_replaces_the_rest() -> None:
    world, at_once = World.create(FEW_LOGINS), World.create(FEW_LOGINS)
    import_past(world, [world.event(at=at) for at in (0, 1, 50)], 100)
    before = world.transitions()
    import_past(world, [world.event(at=at) for at in (51, 52)], 200)
    import_past(at_once, [at_once.event(at=at) for at in (0, 1, 50, 51, 52)], 200)
    after = world.transitions()
    assert recorded(world) == recorded(at_once)
    assert after[:3] == before[:3]
    assert [t.sequence for t in after] == [1, 2, 3, 4, 5]


def test_a_company_that_was_live_gets_its_past_in_front(settings: Settings) -> None:
    world = World.create(FEW_LOGINS.replace("less than 2", "at least 2"))
    world.subscribe(settings)
    send_live(world, [world.event(at=at, plan="b") for at in (0, 1, 50)], 60)
    sent = world.rows("select id, transition_id from deliveries order by id")
    assert world.company().sequence == 2
    import_past(world, [world.event(at=at, plan="a") for at in (-200, -199, -5)], 70)
    assert world.crossings() == [
        (-199, "At Risk", "import"), (-190, "Healthy", "import"),
        (0, "At Risk", "import"), (10, "Healthy", "import"),
    ]  # fmt: skip
    after = world.transitions()
    assert [t.sequence for t in after] == list(range(3, 3 + len(after)))
    assert {t.cause for t in after} == {"import"}
    assert world.company().first_seen_at == world.at(-200)
    assert world.company().traits.custom == {"plan": "b"}
    kept = world.rows("select id, transition_id from deliveries order by id")
    assert [row["id"] for row in kept] == [row["id"] for row in sent]
    assert {row["transition_id"] for row in kept} == {None}
    with transaction():
        log, _ = delivery_log.read_page(world.id, {}, limit=9)
    assert [delivery.company for delivery in log] == ["acme", "acme"]


def test_half_of_a_history_is_not_judged_while_the_rest_arrives(settings: Settings) -> None:
    world = World.create(FEW_LOGINS)
    world.subscribe(settings)
    logins = [world.event(at=at) for at in (88, 92, 96)]
    world.store(*past(world, logins[0], at=100))
    world.judge(at=101)
    world.track("acme", 100.5)
    world.judge(at=101)
    assert world.crossings() == []
    world.store(*past(world, logins[1], at=102))
    world.judge(at=world.at(102) + MOMENT)
    assert world.crossings() == []
    world.store(*past(world, logins[2], at=104))
    world.judge(at=104 + QUIET_S)
    assert world.crossings()[:2] == [(88, "At Risk", "import"), (92, "Healthy", "import")]
    assert [sent["timestamp"] for sent in world.payloads()] == ["2026-01-05T12:01:46.000Z"]


def test_a_history_that_never_stops_arriving_is_judged_every_minute() -> None:
    world = World.create(FEW_LOGINS)
    last = LONGEST_POSTPONED.total_seconds()
    for second in range(0, int(last) + 1, 2):
        world.store(*past(world, world.event(at=-1000 + second), at=second))
        world.judge(at=second)
        assert (world.crossings() == []) == (second < last)


def test_no_company_is_judged_past_events_that_wait_to_be_stored() -> None:
    world = World.create(FEW_LOGINS)
    world.store(*past(world, world.event(at=0), at=100))
    world.judge(at=200, stored_until=90)
    assert world.crossings() == []
    assert world.company().history_until == world.at(100)
    world.judge(at=200, stored_until=150)
    assert world.crossings() == [(0, "At Risk", "import")]


def test_each_version_of_the_rules_judges_from_when_the_company_was_first_seen() -> None:
    world, live = World.create(FEW_LOGINS), World.create(FEW_LOGINS)
    stricter = FEW_LOGINS.replace("less than 2", "less than 3").replace("At Risk", "Critical")
    for each in (world, live):
        send_live(each, [each.event(at=0)], 1)
        each.apply_rules(stricter, 100)
    import_past(world, [world.event(at=at) for at in (-50, -49, 95, 96, 110)], 200)
    assert [(t.to_status, t.rules_version) for t in world.transitions()] == [
        ("At Risk", 1), ("Healthy", 1), ("At Risk", 1), ("Healthy", 1), ("Critical", 2),
    ]  # fmt: skip
    assert world.company().judged_version == 2


def test_a_flag_that_new_rules_leave_alone_is_followed_on_past_them() -> None:
    seldom = FEW_LOGINS.replace("less than 2", "at least 2")
    other = seldom + REPORTS
    world = World.create(seldom)
    send_live(world, [world.event(at=0)], 1)
    world.apply_rules(other, 100)
    import_past(world, [world.event(at=at) for at in (-50, 150, 151)], 200)
    assert [(*crossing[:2],) for crossing in world.crossings()] == [
        (151, "At Risk"), (160, "Healthy"),
    ]  # fmt: skip


def test_a_company_that_came_with_an_import_is_judged_by_the_rules_of_that_time() -> None:
    world = World.create(FEW_LOGINS)
    stricter = FEW_LOGINS.replace("less than 2", "less than 3").replace("At Risk", "Critical")
    world.apply_rules(stricter, 50)
    import_past(world, [world.event(at=0)], 100)
    assert [(t.to_status, t.rules_version) for t in world.transitions()] == [("Critical", 2)]
    world.apply_rules(FEW_LOGINS, 200)
    import_past(world, [world.event(at=at) for at in (40, 41)], 300)
    assert [(world.seconds(t.at), t.to_status, t.rules_version) for t in world.transitions()] == [
        (0, "Critical", 2), (200, "At Risk", 3),
    ]  # fmt: skip


def test_readers_of_the_feed_find_the_new_history_behind_what_they_have_read() -> None:
    world = World.create(FEW_LOGINS)
    send_live(world, [world.event(at=0)], 5)
    with transaction():
        page = read_feed(world.id)
    import_past(world, [world.event(at=-100)], 100)
    with transaction():
        following = read_feed(world.id, after=page.next).transitions
        everything = read_feed(world.id).transitions
    assert [(t.sequence, t.cause) for t in following] == [(2, "import")]
    assert everything == following


def test_nothing_is_written_if_the_history_cannot_be() -> None:
    world = World.create(FEW_LOGINS)
    world.store(*past(world, world.event(at=0), at=100))
    with transaction():
        execute("alter table transitions add constraint fails check (false) not valid")
    with pytest.raises(Exception, match="fails"):
        world.judge(at=200)
    assert world.company().history_until == world.at(100)
