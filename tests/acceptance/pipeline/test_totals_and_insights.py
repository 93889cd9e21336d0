"""The totals that pages read are computed without being asked for."""

from tests.support.product.brazebee_process import Brazebee, eventually


def test_events_are_counted_by_hour_and_by_week(brazebee: Brazebee) -> None:
    for user in ("ann", "ben"):
        event = {"event_key": "login", "company": {"id": "counted", "name": "C"}}
        assert brazebee.track({**event, "user": {"id": user}}).ok
    eventually(
        lambda: brazebee.query(
            "select 1 from event_weeks w join event_counts c using (organization_id, event_key)"
            " where event_key = 'login' and companies >= 1 and users >= 2 and events >= 2"
        )
    )
