"""The newest recorded changes are listed, whenever they happened."""

from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from models.health import transitions
from models.health.transitions import StoredTransition
from models.notifications.past_changes import list_recorded
from tests.support.companies.lists import NOW, ListCompany, add, organization

pytestmark = pytest.mark.usefixtures("in_transaction")


def test_a_limit_keeps_the_changes_that_were_recorded_last() -> None:
    o = organization()
    [company_id] = add(o, ListCompany("a", traits={"plan": "Pro"}))
    happened_and_recorded = ((9, 1), (2, 8), (3, 3), (31, 2), (1, 1.5), (40, 31))  # days ago
    transitions.add_all(
        [
            StoredTransition(
                id=uuid7(),
                organization_id=o,
                company_id=company_id,
                sequence=number,
                at=NOW - timedelta(days=happened),
                from_status="Healthy",
                to_status="Healthy" if number == 3 else "At Risk",
                cause="import" if number == 5 else "time",
                changes=[],
                rules_version=number,
                recorded_at=NOW - timedelta(days=recorded),
            )
            for number, (happened, recorded) in enumerate(happened_and_recorded, 1)
        ]
    )
    since = NOW - timedelta(days=30)
    newest = list_recorded(o, since=since, limit=2)
    assert [change.rules_version for change in newest] == [4, 1]
    assert newest[0].fields == {"id": "a", "name": "Acme", "plan": "Pro"}
    month = [change.rules_version for change in list_recorded(o, since=since, limit=5)]
    assert month == [2, 3, 4, 1]  # the fourth happened in the month before, the sixth is older
    of_statuses = list_recorded(o, since=since, limit=5, of_flags=False)
    assert [change.rules_version for change in of_statuses] == [2, 4, 1]
