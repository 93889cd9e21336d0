"""`brazebee import events`: what is stored, what is refused, and what is printed."""

import csv
import gzip
import json
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest
import redis
from peewee import OperationalError

from cli.unfinished import UNFINISHED
from config.settings import Settings
from queues.arrivals import Arrivals, Watch
from tests.support.imports.files import COLUMNS, DAY, NOON, Imports, row
from tests.support.world import World


@pytest.fixture
def a_year(imports: Imports) -> Path:
    """A company that is silent for weeks in its year, and one that is silent at the end."""
    rows = [row(n, day) for n, day in enumerate([360, 355, 350, 300, 295, 4, 1])]
    rows += [row(100 + n, day, "beta") for n, day in enumerate([90, 85, 20])]
    return imports.table([COLUMNS, *rows])


def changes(world: World, company: str) -> list[tuple[float, str, str]]:
    """Return the transitions of a company, each in days before noon."""
    return [((NOON - t.at) / DAY, t.to_status, t.cause) for t in world.transitions(company)]


def test_the_past_is_judged_as_it_was_and_nobody_is_notified(
    imports: Imports, world: World, settings: Settings, a_year: Path
) -> None:
    world.subscribe(settings)
    planned = imports.report(a_year, "--dry-run")
    assert (planned["events"], planned["new_companies"], planned["new_users"]) == (10, 2, 2)
    assert world.rows("select id from companies where organization_id = %(id)s") == []
    done = imports.report(a_year)
    assert {**done, "dry_run": True, "seconds": 0} == {**planned, "seconds": 0}
    assert changes(world, "acme") == [
        (343, "At Risk", "import"), (300, "Healthy", "import"),
        (288, "At Risk", "import"), (4, "Healthy", "import"),
    ]  # fmt: skip
    assert changes(world, "beta") == [
        (78, "At Risk", "import"), (20, "Healthy", "import"), (13, "At Risk", "import"),
    ]  # fmt: skip
    beta = world.company("beta")
    assert (beta.health_status, beta.changed_at) == ("At Risk", NOON - 13 * DAY)
    assert beta.first_seen_at == NOON - 90 * DAY
    assert beta.traits.newest_event_at == NOON - 20 * DAY
    assert (beta.history_until, beta.unsettled_since) == (None, None)
    assert world.payloads() == []
    counts = "select sum(events)::int as n from event_arrivals where organization_id = %(id)s"
    assert world.rows(counts) == [{"n": 10}]


def test_an_import_is_announced_to_those_who_watch_what_comes_in(
    imports: Imports, world: World, settings: Settings, a_year: Path
) -> None:
    with redis.Redis.from_url(settings.redis_url) as client:
        watched, watch = Arrivals(client), Watch(world.id)
        watched.watch(watch)
        imports.report(a_year, "--dry-run")
        assert watched.imported(watch) is None
        imports.report(a_year)
        assert watched.imported(watch) == (10, NOON - 360 * DAY, NOON - DAY)
        assert watched.read(watch).arrivals == ()


def test_the_end_names_who_needs_attention(imports: Imports, world: World, a_year: Path) -> None:
    done = imports.run(a_year)
    command = f"brazebee companies --org {world.name} --status 'At Risk'"
    assert f"  1 company is At Risk: {command}\n" in done.output
    assert "At Risk" not in imports.run(a_year).output, "nothing is new"
    healthy = imports.run(imports.table([COLUMNS, row(500, 1, "beta")], "more.csv"))
    assert "Imported 1 of 1 row into" in healthy.output
    assert "  Every company is Healthy.\n" in healthy.output
    world.apply_rules("version: 1\nevents: {login: }\nflags: []\n")
    without = imports.run(imports.table([COLUMNS, row(501, 1, "beta")], "others.csv"))
    assert (
        "  The rules have no flags yet; the dashboard has examples under Rules." in without.output
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (KeyboardInterrupt(), ""),
        (OperationalError("the server closed the connection"), " PostgreSQL does not answer: the"),
        (BrokenProcessPool(), " A process was killed"),
        (RuntimeError("unforeseen"), ""),
    ],
)
@pytest.mark.parametrize("place", ["importing.partition", "importing.store_bucket"])
def test_what_ends_an_import_early_begins_with_how_to_go_on(
    imports: Imports,
    a_year: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    reason: str,
    place: str,
) -> None:
    def fail(_task: object) -> NoReturn:
        raise error

    monkeypatch.setattr(f"cli.event_imports.{place}", fail)
    done = imports.run(a_year)
    assert done.exit_code == 1
    assert f"\n{UNFINISHED}{reason}" in done.output
    monkeypatch.undo()
    assert imports.report(a_year)["events"] == 10


def test_importing_again_changes_nothing_and_more_of_a_file_adds_the_rest(
    imports: Imports, world: World, a_year: Path
) -> None:
    imports.report(a_year)
    before = [(world.transitions(c), world.company(c)) for c in ("acme", "beta")]
    again = imports.report(a_year)
    assert (again["events"], again["repeated"], again["new_companies"]) == (0, 10, 0)
    assert [(world.transitions(c), world.company(c)) for c in ("acme", "beta")] == before
    with a_year.open("a", newline="") as file:
        csv.writer(file).writerow(row(200, 2, "beta"))
    assert imports.report(a_year)["events"] == 1
    assert world.transitions("acme") == before[0][0]
    assert changes(world, "beta")[-1] == (2, "Healthy", "import")
    assert world.transitions("beta")[:3] == before[1][0]


def test_rows_without_an_id_are_counted_once_however_often_they_are_imported(
    imports: Imports, world: World
) -> None:
    same = ["login", NOON.isoformat(), "acme"]
    path = imports.table([("event", "time", "company"), same, same, ["login", NOON, "beta"]])
    assert imports.report(path)["events"] == 3
    again = imports.report(path)
    assert (again["events"], again["repeated"]) == (0, 3)
    assert world.company().name == "acme", "until a name is known"


def test_unknown_events_are_refused_before_anything_is_written(
    imports: Imports, world: World
) -> None:
    rows = [row(n, n, event="Signed Up" if n % 2 else "login") for n in range(5)]
    path = imports.table([COLUMNS, *rows, row(9, 9, event="gone")])
    refused = imports.run(path)
    assert refused.exit_code == 1
    assert "1 event key is not configured" in refused.output
    assert "2  Signed Up" in refused.output
    assert world.rows("select event_id from events where organization_id = %(id)s") == []
    skipped = imports.report(path, "--skip-unknown", "--dry-run")
    assert (skipped["events"], skipped["left_out"]) == (3, {"Signed Up": 2, "gone": 1})
    added = imports.report(path, "--add-events")
    assert (added["events"], added["left_out"]) == (5, {"gone": 1})
    assert world.rules_version == 2
    keys = world.rows("select distinct event_key as k from events where organization_id = %(id)s")
    assert sorted(row["k"] for row in keys) == ["login", "signed_up"]


def test_a_name_that_is_spelled_like_an_event_is_imported_as_that_event(
    imports: Imports, world: World
) -> None:
    rows = [row(1, 1, event="LOGIN"), row(2, 2, event="Log Out"), row(3, 3, event="log-out")]
    report = imports.report(imports.table([COLUMNS, *rows]), "--add-events")
    assert (report["events"], report["left_out"]) == (3, {})
    keys = world.rows("select event_key as k from events where organization_id = %(id)s")
    assert sorted(row["k"] for row in keys) == ["log_out", "log_out", "login"]


def test_refused_rows_are_kept_with_their_reasons_and_can_be_imported_when_they_are_mended(
    imports: Imports, world: World
) -> None:
    rows = [row(1, 1), row(2, 2, time="soon"), row(3, 3, company_id=""), row(4, 4)[:-1]]
    rows += [
        row(5, 5, id="with blanks"),
        row(6, 6, time="2999-01-01"),
        row(7, 7, time="1970-01-01"),
    ]
    path = imports.table([COLUMNS, *rows])
    report = imports.report(path)
    assert report["events"] == 1
    assert report["refused_files"] == [str(path.with_name("events.refused.csv"))]
    refused = path.with_name("events.refused.csv")
    with refused.open(newline="") as file:
        header, *kept = csv.reader(file)
    assert header == [*COLUMNS, "refused_reason"]
    assert [each[-1] for each in kept] == [
        "time: Expected a time such as 2024-01-20T10:30:00Z, or seconds since 1970",
        "company.id: Required",
        "6 values, but 7 columns",
        "event_id: Must not contain blanks",
        "time: More than 1 hour in the future",
        "time: Before 1990",
    ]
    refused.write_text(refused.read_text().replace("soon", NOON.isoformat()))
    assert imports.report(refused)["events"] == 1


def test_files_of_several_forms_and_compressed_ones_are_imported_together(
    imports: Imports, world: World
) -> None:
    own = {"event_id": "a", "event_key": "login", "timestamp": NOON.isoformat(),
           "company": {"id": "acme", "name": "Acme"}, "data": {"n": 1}}  # fmt: skip
    first = imports.lines([own, {**own, "event_id": "b", "data": {"n": "x\u0000"}}])
    second = imports.folder / "more.csv.gz"
    plain = imports.table([COLUMNS, row(1, 1)], "plain.csv")
    second.write_bytes(gzip.compress(plain.read_bytes()))
    third = imports.folder / "third.parquet"
    columns = f"'p' as event_id, 'login' as event, {NOON.timestamp():.0f} as ts, 'acme' as account"
    duckdb.sql(f"copy (select {columns}, 'nan'::double as score) to '{third}' (format parquet)")
    report = imports.report(first, second, third)
    assert report["events"] == 3
    assert report["refused"] == {"data.n: NUL characters are not allowed": 1}
    kept = json.loads((imports.folder / "events.refused.jsonl").read_text())
    assert (kept["event_id"], kept["company"]["id"]) == ("b", "acme")


def test_a_user_belongs_to_the_company_that_the_group_calls_tell(
    imports: Imports, world: World
) -> None:
    def call(kind: str, number: int, days_ago: float, **more: object) -> dict[str, object]:
        at = (NOON - days_ago * DAY).isoformat()
        return {"type": kind, "messageId": f"m{number}", "userId": "u", "timestamp": at, **more}

    path = imports.lines([
        call("track", 1, 9, event="login"),
        call("group", 2, 8, groupId="acme", traits={"name": "Acme", "seats": 5}),
        call("identify", 3, 8, traits={"email": "u@acme.example"}),
        call("track", 4, 7, event="Report Created", properties={"n": 1}),
        call("group", 5, 3, groupId="beta", traits={"name": "Beta"}),
        call("track", 6, 2, event="login"),
        {**call("track", 7, 2, event="login"), "userId": "nobody"},
    ])  # fmt: skip
    report = imports.report(path)
    assert report["events"] == 3
    assert report["refused"] == {"user.id: The company of this user is not known": 1}
    stored = world.rows(
        "select c.external_id as company, e.event_key as key from events e join companies c"
        " on c.organization_id = e.organization_id and c.id = e.company_id"
        " where e.organization_id = %(id)s order by e.occurred_at"
    )
    assert [tuple(row.values()) for row in stored] == [
        ("acme", "login"), ("acme", "report"), ("beta", "login"),
    ]  # fmt: skip
    acme, transitions = world.company(), world.transitions()
    assert (acme.name, acme.traits.custom) == ("Acme", {"seats": 5})
    assert imports.report(path)["events"] == 0
    assert (world.company().traits, world.transitions()) == (acme.traits, transitions)


def test_times_without_an_offset_are_in_the_zone_that_is_named(
    imports: Imports, world: World
) -> None:
    path = imports.table([("event", "When", "company"), ["login", "2026-01-20 10:00", "acme"]])
    report = imports.report(path, "--map", "When=time", "--timezone", "Europe/Berlin")
    assert report["first_at"].startswith("2026-01-20T09:00")
    assert imports.run(path, "--timezone", "Mars/Olympus").exit_code == 1


def test_a_live_company_gets_its_past_in_front_with_its_fields(
    imports: Imports, world: World
) -> None:
    at = [NOON - timedelta(days=day) for day in (30, 20, 10, 3, 1)]
    world.store(world.event(at=at[3], plan="A"), world.event(at=at[4], plan="A"))
    world.judge(at=NOON)
    rows = [[time.isoformat(), "login", "acme", plan] for time, plan in zip(at[:3], "ABB")]  # noqa: B905
    imports.report(imports.table([("time", "event", "company_id", "company.plan"), *rows]))
    fields = world.rows(
        "select at, value from field_changes where organization_id = %(id)s and field = 'plan'"
        " order by at"
    )
    assert [(row["at"], row["value"]) for row in fields] == [
        (at[0], "A"), (at[1], "B"), (at[3], "A"),
    ]  # fmt: skip
    assert [(status, cause) for _, status, cause in world.crossings()] == [
        ("At Risk", "import"), ("Healthy", "import"),
    ] * 2  # fmt: skip


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("[{}]", "is a JSON array"),
        ("a\nb\n", "names no columns"),
        ("a,b\n1,2\n", "No column is known to be `company.id`, `event`, `time`"),
        ("a,a\n1,2\n", "two columns are called `a`"),
    ],
)
def test_files_that_cannot_be_read_say_why(imports: Imports, content: str, message: str) -> None:
    path = imports.folder / "events.csv"
    path.write_text(content)
    result = imports.run(path)
    assert result.exit_code == 1
    assert message in result.output
