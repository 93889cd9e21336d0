"""Files of outcomes: their columns, kinds, days and amounts, and what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.main import main
from config.settings import Settings
from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import OutcomeKind
from services.imports.outcomes.file import OutcomeFile, OutcomeOptions, read_file
from tests.support.world import World

NOW = datetime(2026, 9, 1, tzinfo=UTC)
FILE = """Account ID,Result,Close Date,ARR lost,Reason
acme,Churned,31/03/2026,"(1,200.50)",Went away
acme,Churned,31/03/2026,"(1,200.50)",Went away
acme,closed lost,31/03/2026,1,
hs-7,Expansion,1/4/2026,400,
bolt,renewal,30/9/2026,,
bolt,renewal,32/3/2026,,
,renewal,1/4/2026,,
nobody,renewal,1/4/2026,,
bolt,moved,1/4/2026,,
bolt,upsell,2/4/2026,-5,
"""


def read(world: World, text: str, **options: Any) -> OutcomeFile:
    with transaction():
        return read_file(world.id, text.encode(), OutcomeOptions(**options), NOW)


def test_a_file_of_a_crm_is_read_as_it_is_meant(world: World) -> None:
    world.track("acme")
    world.track("bolt", crm_provider="hubspot", crm_provider_id="hs-7")
    text = FILE.replace("32/3", "3/3")
    file = read(world, text)
    assert file.faults == ()
    assert {c.header: c.target for c in file.columns.columns} == {
        "Account ID": "company", "Result": "kind", "Close Date": "day", "ARR lost": "amount",
        "Reason": "note",
    }  # fmt: skip
    rows = [
        (row.company, row.outcome.kind, row.outcome.day, row.outcome.amount) for row in file.rows
    ]
    assert rows == [
        ("acme", OutcomeKind.LEFT, date(2026, 3, 31), Decimal("1200.50")),
        ("bolt", OutcomeKind.GREW, date(2026, 4, 1), Decimal(400)),
        ("bolt", OutcomeKind.RENEWED, date(2026, 3, 3), None),
    ]
    assert file.repeated == 1
    assert [(row.line, row.reason) for row in file.refused] == [
        (4, "contradicts line 2, which has the same kind and day"),
        (6, "cannot be entered: an outcome cannot be in the future"),
        (8, "names no company"),
        (9, "is about `nobody`, which is no company"),
        (10, "has `moved` as its kind, which is none of left, renewed, grew, shrank"),
        (11, "cannot be entered: an amount is 0 or more, and less than 1,000,000,000,000,000"),
    ]


def test_a_file_that_leaves_something_open_has_faults(world: World) -> None:
    world.track("acme")
    assert "does not have days only" in read(world, FILE).faults[0]
    assert read(
        world, "id,kind,day,amount\nacme,left,2026-03-31,1\nacme,left,2026-04-30,n/a\n"
    ).faults == (
        "The column `amount` does not have amounts only. Line 3 has `n/a`: correct or remove it.",
    )
    plain = "customer,when\nacme,3/4/2026\n"
    columns = "There are `customer`, `when`."
    assert read(world, plain).faults == (
        f"No column has the days. {columns}",
        f"No column has the kind of outcome; or choose one for all rows. {columns}",
    )
    mapped = {"targets": {"when": "day"}, "kind": OutcomeKind.LEFT}
    undecided = read(world, plain, **mapped)
    assert "the day or the month first" in undecided.faults[0]
    assert undecided.needs_day_first
    [row] = read(world, plain, **mapped, day_first=True).rows
    assert row.outcome.day == date(2026, 4, 3)
    assert read(world, plain, targets={"wen": "day"}).faults == (
        "The file has no column `wen`. Did you mean `when`?",
    )


def test_the_command_shows_and_then_loads_a_file_and_loading_it_again_changes_nothing(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.track("acme")
    path = tmp_path / "outcomes.csv"
    path.write_text("id,outcome,date,amount\nacme,left,2026-03-31,1200\nacme,left,bad,1\n")
    environment = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}

    def run(*options: str) -> Result:
        command = ["import", "outcomes", str(path), "--org", world.name, *options]
        return CliRunner().invoke(main, command, env=environment)

    faulty = run("--yes")
    assert faulty.exit_code == 1
    assert "The column `date` does not have days only: such as 2026-01-31." in faulty.output
    path.write_text("id,outcome,date,amount\nacme,left,2026-03-31,1200\nnobody,left,2026-03-31,1\n")
    assert "nothing was written" in run("--dry-run").output
    assert listed(world) == []
    assert "Use --yes if this is intended" in run().output
    loaded = run("--yes")
    assert "Imported: 1 outcome created, 0 changed." in loaded.output
    assert listed(world) == [("acme", "left", "2026-03-31", "1200.00")]
    assert "nobody" in (tmp_path / "outcomes.refused.csv").read_text()
    assert "Nothing to import" in run("--yes").output
    [entry] = world.rows(
        "select made_by, action, detail from audit_log where organization_id = %(id)s"
    )
    assert (entry["made_by"], entry["action"]) == ("command line", "Outcomes imported")
    assert entry["detail"]["created"] == 1


def listed(world: World) -> list[tuple[str, ...]]:
    with transaction():
        found, _ = outcomes.read_page(world.id)
    return [(each.company, each.kind.value, str(each.day), str(each.amount)) for each in found]
