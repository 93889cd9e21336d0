"""Files of outcomes: their columns, kinds, days and amounts, and what is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
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
    file = read(world, FILE)
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
    ]
    assert file.repeated == 1
    assert [(row.line, row.reason) for row in file.refused] == [
        (4, "contradicts line 2, which has the same kind and day"),
        (6, "cannot be entered: an outcome cannot be in the future"),
        (
            7,
            (
                "has `32/3/2026` in the column `Close Date`, which is no day written as most of"
                " them are: write it as in `31/03/2026`"
            ),
        ),
        (8, "names no company"),
        (9, "is about `nobody`, which is no company"),
        (10, "has `moved` as its kind, which is none of left, renewed, grew, shrank"),
        (11, "cannot be entered: an amount is 0 or more, and less than 1,000,000,000,000,000"),
    ]


def test_a_file_that_leaves_something_open_has_faults(world: World) -> None:
    world.track("acme")
    assert read(world, "id,kind,day\nacme,left,soon\n").faults == (
        "The column `day` has no days, such as 2026-01-31.",
    )
    assert read(world, "id,kind,day,amount\nacme,left,2026-03-31,n/a\n").faults == (
        "The column `amount` has no amounts, such as 1200.50.",
    )
    plain = "customer,when\nacme,3/4/2026\n"
    columns = "There are `customer`, `when`."
    assert read(world, plain).faults == (
        f"No column has the days. {columns}",
        f"No column has the kind of outcome; or choose one for all rows. {columns}",
    )
    mapped = {"targets": {"when": "day"}, "kind": OutcomeKind.LEFT}
    undecided = read(world, plain, **mapped)
    assert undecided.faults == (
        (
            "The days of the column `when` are unclear: 3/4/2026 has the day or the"
            " month first, and nothing in the file decides which."
        ),
    )
    assert undecided.needs_day_first
    [row] = read(world, plain, **mapped, day_first=True).rows
    assert row.outcome.day == date(2026, 4, 3)
    assert read(world, plain, targets={"wen": "day"}).faults == (
        "The file has no column `wen`. Did you mean `when`?",
    )


@pytest.mark.parametrize(
    ("cells", "kept", "reason"),
    [
        (["100", "n/a", "200"], ["100", "200"], "has `n/a` in the column `amount`"),
        (["100", "'-", "200"], ["100", "200"], "has `-` in the column `amount`"),
        (["€1,200.50", "€90.00", "$70"], ["1200.50", "90.00"], "has `$70` in the column"),
        (["1,200.50", "3,400.25", "1.200,50"], ["1200.50", "3400.25"], "has `1.200,50`"),
    ],
)
def test_one_unusable_amount_refuses_its_row_alone(
    world: World, cells: list[str], kept: list[str], reason: str
) -> None:
    world.track("acme")
    rows = "".join(f'acme,left,2026-03-{n:02},"{cell}"\n' for n, cell in enumerate(cells, 1))
    file = read(world, f"id,kind,day,amount\n{rows}")
    assert file.faults == ()
    assert [str(row.outcome.amount) for row in file.rows] == [f"{Decimal(n):.2f}" for n in kept]
    [refused] = file.refused
    assert reason in refused.reason
    assert refused.reason.endswith(f"write it as in `{cells[0]}`, or leave the cell empty")


def test_days_in_another_order_than_most_are_refused(world: World) -> None:
    world.track("acme")
    days = ("31/3/2026", "30/4/2026", "4/30/2026", "2026-05-01", "1/5/2026")
    file = read(world, "id,kind,day\n" + "".join(f"acme,left,{day}\n" for day in days))
    assert [str(row.outcome.day) for row in file.rows] == ["2026-03-31", "2026-04-30", "2026-05-01"]
    assert [row.line for row in file.refused] == [4, 5]


def test_the_command_shows_and_then_loads_a_file_and_loading_it_again_changes_nothing(
    world: World, settings: Settings, tmp_path: Path
) -> None:
    world.track("acme")
    path = tmp_path / "outcomes.csv"
    path.write_text("id,outcome,date,amount\nacme,left,bad,1\n")
    environment = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}

    def run(*options: str) -> Result:
        command = ["import", "outcomes", str(path), "--org", world.name, *options]
        return CliRunner().invoke(main, command, env=environment)

    faulty = run("--yes")
    assert faulty.exit_code == 1
    assert "The column `date` has no days, such as 2026-01-31." in faulty.output
    path.write_text(
        "id,outcome,date,amount\nacme,left,2026-03-31,1200\nnobody,left,2026-03-31,1\n"
        "acme,grew,2026-03-01,n/a\n"
    )
    assert "nothing was written" in run("--dry-run").output
    assert listed(world) == []
    assert "Use --yes if this is intended" in run().output
    loaded = run("--yes")
    assert "Imported: 1 outcome created, 0 changed." in loaded.output
    assert listed(world) == [("acme", "left", "2026-03-31", "1200.00")]
    refused = (tmp_path / "outcomes.refused.csv").read_text()
    assert "nobody" in refused
    assert "has `n/a` in the column `amount`" in refused
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
