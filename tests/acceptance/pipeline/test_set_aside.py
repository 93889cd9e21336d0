"""Events that cannot be stored wait aside, and count as accepted once the cause is mended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.poison import poison
from tests.support.product.tenant import REPORTS, Tenant


@contextmanager
def refusing(brazebee: Brazebee, event_key: str) -> Iterator[None]:
    """Make PostgreSQL refuse events with this key."""
    brazebee.execute(
        f"alter table events add constraint refused check (event_key <> '{event_key}') not valid"
    )
    try:
        yield
    finally:
        brazebee.execute("alter table events drop constraint refused")


def test_events_that_postgresql_refuses_are_stored_once_when_they_are_retried(
    brazebee: Brazebee, organization: str, tmp_path: Path
) -> None:
    rules = REPORTS.replace("report", "refused_report")
    tenant = Tenant(brazebee, organization, tmp_path, rules=f"{rules.strip()}\n")
    [(organization_id,)] = brazebee.query(
        f"select id from organizations where name = '{organization}'"
    )

    def health() -> str:
        [company] = tenant.json("companies")
        return str(company["health_status"])

    def stored() -> list[tuple[object, ...]]:
        return brazebee.query(
            "select event_id, occurred_at, received_at from events where organization_id ="
            f" {organization_id} order by event_id"
        )

    tenant.track("acme", key="refused_report", event_id="e0")
    eventually(lambda: len(stored()) == 1 and health() == "At Risk")
    with refusing(brazebee, "refused_report"):
        for event_id in ("e1", "e2"):
            tenant.track("acme", key="refused_report", event_id=event_id)
        poison(brazebee.servers["REDIS_URL"], organization_id, {"7": b"of a newer release"})
        rows = eventually(lambda: len(rows := tenant.json("rejected", "list")) == 3 and rows)
        refused = [row for row in rows if row["company"] == "acme"]
        [unreadable] = [row for row in rows if row["company"] is None]
        assert sorted(row["event_id"] for row in refused) == ["e1", "e2"]
        assert all("refused" in row["reason"] for row in refused)

        # The cause is still there, so one that is retried comes back, with a new id.
        [e1] = [row for row in refused if row["event_id"] == "e1"]
        assert tenant.json("rejected", "retry", str(e1["id"]))["retried"] == 1
        eventually(
            lambda: [
                row
                for row in tenant.json("rejected", "list")
                if row["event_id"] == "e1" and row["id"] > e1["id"]
            ]
        )
        accepted = {
            row["event_id"]: tenant.json("rejected", "show", str(row["id"]))
            for row in tenant.json("rejected", "list", "--company", "acme")
        }
    assert health() == "At Risk"

    retried = tenant.run("rejected", "retry", "--all")
    assert retried.returncode == 1, "one cannot be read"
    assert retried.stdout == "2 events were returned to the journal.\n"
    assert f"{unreadable['id']} cannot be retried: its format, `7`, is not known" in retried.stderr
    eventually(lambda: health() == "Healthy")
    assert [event_id for event_id, *_ in stored()] == ["e0", "e1", "e2"]
    for event_id, _, received_at in stored()[1:]:
        accepted_at = datetime.fromisoformat(accepted[str(event_id)]["accepted_at"])
        assert timedelta(0) <= received_at - accepted_at < timedelta(milliseconds=1)

    [left] = tenant.json("rejected", "list")
    assert left["id"] == unreadable["id"]
    assert tenant.json("rejected", "drop", str(left["id"]), "--yes") == {"dropped": 1}
    assert tenant.json("rejected", "list") == []
    assert len(stored()) == 3
