"""The pages of backtests over all companies: starting one, its progress, its result, cancelling."""

from datetime import timedelta
from decimal import Decimal

from models.database import transaction
from models.outcomes import outcomes
from models.outcomes.outcomes import NewOutcome, OutcomeKind
from services.rules.backtest_jobs import advance
from services.rules.rule_books import RuleBooks
from tests.support.dashboard.application import NOW, Dashboard, text_of
from tests.support.dashboard.editor import EditorWorld

RULES = """
version: 1
statuses: [Healthy, At Risk]
events: {login: }
flags: [{flag: Gone quiet, event: login, when: {At Risk: no activity for 10 days}}]
"""
BASE = "/o/acme/rules/backtests"


def test_a_backtest_is_started_shows_its_progress_and_its_result(dashboard: Dashboard) -> None:
    world = EditorWorld(dashboard, RULES)
    world.add_company("acme", 60, 50, 40)
    world.add_company("bolt", *range(60))
    with transaction():
        left = NewOutcome(
            world.company_id("acme"),
            OutcomeKind.LEFT,
            NOW.date() - timedelta(days=5),
            Decimal(1200),
        )
        outcomes.enter(world.id, [left], "test", NOW)
    world.editor.get("/o/acme/rules")
    draft = RULES.replace("10 days", "50 days")
    form = {"text": draft, "began_from": "1", "days": "90"}
    started = world.editor.post(BASE, **form)
    assert started.status_code == 303
    waiting = world.editor.get(started.location)
    assert "It waits for its turn" in text_of(waiting)
    assert 'hx-trigger="load delay:2s"' in waiting.text
    advance(world.id, RuleBooks(), lambda: NOW)
    done = world.editor.get(started.location)
    text = text_of(done)
    assert "load delay" not in done.text
    assert "2 of 2 companies were replayed" in text
    assert "1 company left in that time, worth 1,200" in text
    assert "Gone quiet Draft 0 1 0 0 – 0 1,200 In force 1 0 0 0 25 1,200 0" in text
    assert "The 90 days up to 20 Jan 2026, 10:30 Done 2 of 2" in text_of(world.editor.get(BASE))
    assert world.audited()[0] == ("ed@acme.com", "Backtest started", "backtest 1")
    faulty = world.editor.post(BASE, **{**form, "text": "version: 1\nflags: no"})
    assert faulty.status_code == 422
    another = world.editor.post(BASE, **form)
    world.editor.post(f"{another.location}/cancel")
    assert "Cancelled" in text_of(world.editor.get(another.location))
    assert world.audited()[0] == ("ed@acme.com", "Backtest cancelled", "backtest 2")
