"""The totals that pages read are computed without being asked for."""

from pathlib import Path

import pytest

from tests.support.product.brazebee_process import Brazebee, eventually
from tests.support.product.tenant import Tenant


@pytest.mark.long
def test_events_are_counted_by_hour_and_by_week(brazebee: Brazebee, tmp_path: Path) -> None:
    # An organization of its own: a week that other tests touched is counted again only later.
    assert brazebee.run("org", "create", "counted").returncode == 0
    tenant = Tenant(brazebee, "counted", tmp_path)
    for user in ("ann", "ben"):
        tenant.track("acme", user={"id": user})
    eventually(
        lambda: brazebee.query(
            "select 1 from event_weeks w join event_counts c using (organization_id, event_key)"
            " join organizations o on o.id = organization_id"
            " where o.name = 'counted' and companies = 1 and users = 2 and events = 2"
        ),
        90,
    )
