"""Health changes are sent to people: each once, in few messages, within documented limits."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet

from config.settings import Settings
from models.database import transaction
from models.encrypted_secrets import decrypt
from models.notifications import destinations
from models.organizations import audit_log, rule_versions
from rules.faults import RuleFileError
from services.notifications import destinations as changes
from services.notifications.claims import claim
from services.notifications.outbox import GRACE
from services.notifications.outcomes import BETWEEN_MESSAGES, Attempt, Verdict, record
from services.rules.rule_books import RuleBooks
from services.secret_rotation import rotate
from services.times import utc_now
from tests.support.in_transactions import evaluate
from tests.support.notifications.channels import Channel, channel
from tests.support.notifications.mailbox import Mailbox, serving_mailbox
from tests.support.notifications.notified import RULES, Notified


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving_mailbox() as served:
        yield served


@pytest.fixture
def slack() -> Iterator[Channel]:
    with channel("slack") as served:
        yield served


@pytest.fixture
def teams() -> Iterator[Channel]:
    with channel("teams") as served:
        yield served


def texts(message: dict[str, Any]) -> str:
    return str(message["blocks"])


def test_a_pasted_url_is_stored_encrypted_and_named_in_the_text(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    entry = f"  - to: {{slack: {slack.url}}}  # CS\n"
    applied = acme.apply(RULES + entry)
    assert [url.name for url in applied.kept_urls] == ["slack-1"]
    with transaction():
        [version] = rule_versions.list_after(acme.world.id, 0)
        [stored] = destinations.list_for_organization(acme.world.id)
        log = audit_log.read_page(acme.world.id, limit=10)
    assert version.source == f"{RULES}  - to: {{slack: slack-1}}  # CS\n"
    assert "secret" not in f"{stored.encrypted_url}{log}{applied}"
    assert not acme.apply(RULES + entry).changed


def test_a_rotation_encrypts_the_url_of_a_destination_with_the_new_key(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    new = Fernet.generate_key().decode()
    found = rotate([acme.world.organization], [new, *settings.secret_keys])
    assert (found.outdated, found.unreadable) == (1, [])
    with transaction():
        [stored] = destinations.list_for_organization(acme.world.id)
    assert decrypt(stored.encrypted_url, [new]) == slack.url
    acme.companies(1, 2, 1)
    replace(acme.sender, secret_keys=[new]).send(acme.world.id, acme.messages()[0].id)
    assert [message.state for message in acme.messages()] == ["sent"]


def test_a_name_without_a_destination_is_refused(settings: Settings) -> None:
    with pytest.raises(RuleFileError, match="there is no Slack destination `cs`"):
        Notified(settings).apply(f"{RULES}  - to: {{slack: cs}}\n")


def test_one_change_of_rules_that_moves_150_companies_is_one_message(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    entry = f"  - to: {{slack: {slack.url}}}\n"
    acme.apply(RULES + entry)
    acme.companies(150, 9, 1, arr=12_000, csm="ann@acme.com")
    assert acme.messages() == []
    acme.apply(RULES.replace("below 5", "below 10") + entry, acme.world.at(2))
    ids = acme.world.company_ids()
    for start in range(0, 150, 50):
        evaluate(ids[start : start + 50], acme.world.rulebooks, acme.world.at(3))
        acme.send_due()
    acme.end_waits()
    acme.send_due()
    [message] = acme.messages()
    assert (message.state, message.number) == ("sent", 150)
    [sent] = slack.messages
    assert slack.refused == []
    assert "150 companies are Critical" in texts(sent)
    assert "others" in texts(sent)
    assert "https://health.acme.com/o/" in texts(sent)


def test_a_workflow_of_teams_gets_a_card_that_lists_as_many_companies_as_fit(
    settings: Settings, teams: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{teams: {teams.url}}}\n    group: together within 10 minutes\n")
    for number in range(120):
        name = f"*{number}* [x](https://evil.example) {'long ' * 30}"
        acme.world.track(f"c{number}", 1, seats=2, name=name, csm="ann@acme.com", arr=12_000)
    acme.world.judge(at=1)
    acme.send_due(utc_now() + timedelta(minutes=5))
    acme.end_waits()
    acme.send_due()
    [message] = acme.messages()
    assert (teams.refused, message.state, message.number) == ([], "sent", 120)
    [sent] = teams.messages
    card = sent["attachments"][0]["content"]
    listed = [part for part in card["body"] if part["type"] == "Container"]
    assert card["body"][0]["text"] == "120 companies are Critical"
    assert 10 < len(listed) < 100, "the card is cut before what is composed ends"
    assert card["body"][-1]["text"] == f"and {120 - len(listed)} others"
    assert "\\\\[x\\\\](https://evil.example)" in repr(listed[0]), "a name makes no link"
    assert card["actions"][0]["url"].startswith("https://health.acme.com/o/")


def test_a_killed_sender_sends_the_same_once_more_and_later_changes_in_the_next_message(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    [message] = acme.messages()
    claimed = claim(acme.world.id, message.id, RuleBooks(), utc_now())
    assert claimed is not None
    acme.sender._attempt(claimed, utc_now())  # noqa: SLF001 -- and then the process is killed
    acme.companies(2, 3, 5)
    acme.end_waits()
    time.sleep(1)
    acme.send_due()
    time.sleep(1.1)
    acme.send_due()
    numbers = sorted((m.state.value, m.number) for m in acme.messages())
    assert numbers == [("sent", 1), ("sent", 1)]
    assert sorted(m["text"] for m in slack.messages) == [
        "C0 is Critical", "C0 is Critical", "C1 is Critical",
    ]  # fmt: skip


def test_a_message_waits_for_another_one_to_its_destination_no_longer_than_that_takes(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    to = f"  - to: {{slack: {slack.url}}}\n"
    acme.apply(f"{RULES}{to}{to}    group: together within 10 seconds\n")
    acme.companies(1, 2, 1)
    acme.end_waits()
    first, second = acme.messages()
    claimed = claim(acme.world.id, first.id, RuleBooks(), utc_now())
    assert claimed is not None
    assert claim(acme.world.id, second.id, RuleBooks(), utc_now()) is None
    record(claimed, Attempt(Verdict.ACCEPTED), utc_now(), settings.webhooks)
    [waiting] = [message for message in acme.messages() if message.id == second.id]
    assert waiting.due_at is not None
    assert timedelta(0) < waiting.due_at - utc_now() <= BETWEEN_MESSAGES


def test_a_destination_that_is_gone_is_disabled_and_its_message_kept(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    slack.answer(404, "no_service")
    acme.send_due()
    with transaction():
        [destination] = destinations.list_for_organization(acme.world.id)
    assert destination.disabled_because == "answered 404: no_service"
    [message] = acme.messages()
    assert (message.state, message.due_at, message.last_error) == (
        "waiting", None, "answered 404: no_service",
    )  # fmt: skip


def test_a_test_waits_for_the_second_between_two_messages(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.add("cs", slack)
    acme.send_tests("cs", 3)
    deadline = time.monotonic() + 10
    while len(slack.messages) < 3:
        assert time.monotonic() < deadline
        acme.send_due()
        time.sleep(0.05)
    assert slack.refused == []
    assert [message.state for message in acme.messages()] == ["sent"] * 3


@pytest.mark.parametrize(
    ("retry_after", "state", "blocked_for"), [("2", "waiting", 1), ("90", "failed", 80)]
)
def test_a_test_that_is_too_soon_is_sent_once_more_unless_that_takes_long(
    settings: Settings, slack: Channel, retry_after: str, state: str, blocked_for: int
) -> None:
    acme = Notified(settings)
    acme.add("cs", slack)
    slack.answer(429, "rate_limited", Retry_After=retry_after)
    acme.send_tests("cs", 1)
    acme.send_due()
    [message] = acme.messages()
    assert (message.state, message.last_error) == (
        state, "too many messages at the moment (answered 429: rate_limited)",
    )  # fmt: skip
    with transaction():
        [destination] = destinations.list_for_organization(acme.world.id)
    assert destination.failures == 0
    assert destination.blocked_until is not None
    assert destination.blocked_until > utc_now() + timedelta(seconds=blocked_for)


def test_a_failing_destination_can_be_tested_and_keeps_its_pause(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    slack.answer(429, "rate_limited", Retry_After="90")
    acme.send_due()
    slack.answer(500)
    acme.send_tests("slack-1", 1)
    acme.send_due()
    with transaction():
        [destination] = destinations.list_for_organization(acme.world.id)
    assert destination.blocked_until is not None
    assert destination.blocked_until > utc_now() + timedelta(seconds=80)
    assert sorted(message.state for message in acme.messages()) == ["failed", "waiting"]


def test_a_new_url_resumes_a_destination_with_what_was_kept(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.add("cs", slack, url="http://127.0.0.1:9/gone")
    acme.apply(f"{RULES}  - to: {{slack: cs}}\n")
    acme.companies(1, 2, 1)
    acme.send_due()
    assert slack.messages == []
    with transaction():
        [destination] = destinations.list_for_organization(acme.world.id)
        changes.disable(destination, maker=acme.keeper.maker, at=utc_now())
        changes.replace_url(
            destination, slack.url, secret_keys=settings.secret_keys, maker=acme.keeper.maker,
            at=utc_now(),
        )  # fmt: skip
    acme.send_due()
    assert [message.state for message in acme.messages()] == ["sent"]


def test_what_waits_after_failures_is_sent_when_a_test_is_accepted(
    settings: Settings, slack: Channel
) -> None:
    acme = Notified(settings)
    acme.apply(
        f"{RULES}  - to: {{slack: {slack.url}}}\n"
        "  - to: {slack: slack-1}\n    digest: daily at 08:00 in UTC\n"
    )
    acme.companies(1, 2, 1)
    slack.answer(503, Retry_After="3600")
    acme.send_due()
    acme.send_tests("slack-1", 1)
    acme.send_due()
    waiting = {m.schedule: m for m in acme.messages() if m.state in ("open", "waiting")}
    digest, at_once = waiting["digest daily at 08:00 in UTC"], waiting["at once"]
    assert at_once.due_at is not None
    assert at_once.due_at <= utc_now() + BETWEEN_MESSAGES
    assert digest.due_at == digest.planned_at + GRACE


@pytest.mark.parametrize(("accepts_others", "state"), [(False, "waiting"), (True, "failed")])
def test_a_message_is_given_up_only_by_a_destination_that_accepts_others(
    settings: Settings, slack: Channel, *, accepts_others: bool, state: str
) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    if accepts_others:
        acme.send_tests("slack-1", 1)
        [test] = [message for message in acme.messages() if message.is_test]
        acme.sender.send(acme.world.id, test.id)
        acme.end_waits()
    policy = replace(settings.webhooks, retry_delays=())
    slack.answer(500)
    last = replace(acme.sender, transport=replace(acme.sender.transport, policy=policy))
    [message] = [message for message in acme.messages() if not message.is_test]
    last.send(acme.world.id, message.id)
    assert [m.state for m in acme.messages() if not m.is_test] == [state]


def test_retry_after_is_respected(settings: Settings, slack: Channel) -> None:
    acme = Notified(settings)
    acme.apply(f"{RULES}  - to: {{slack: {slack.url}}}\n")
    acme.companies(1, 2, 1)
    slack.answer(429, "rate_limited", Retry_After="90")
    acme.send_due()
    [message] = acme.messages()
    assert message.due_at is not None
    assert message.due_at > utc_now() + timedelta(seconds=80)


def test_each_owner_gets_an_email_about_their_own_companies(
    settings: Settings, mailbox: Mailbox
) -> None:
    acme = Notified(settings, mailbox.settings)
    acme.apply(f"{RULES}  - to: {{email: owner}}\n")
    for company, owner in (("a", "ann@acme.com"), ("b", "bob@acme.com"), ("c", "Nobody")):
        acme.world.track(company, 1, seats=1, csm=owner, name=f"{company} <b>x</b>")
    acme.world.judge(at=1)
    acme.send_due()
    assert sorted(to for [to], _ in mailbox.emails) == ["ann@acme.com", "bob@acme.com"]
    email = next(email for [to], email in mailbox.emails if to == "ann@acme.com")
    assert email["Message-ID"].endswith("@acme.com>")
    html = email.get_payload()[1].get_payload(decode=True).decode()
    assert "a &lt;b&gt;x&lt;/b&gt;" in html
    [failed] = [m for m in acme.messages() if m.state == "failed"]
    assert "the owner `nobody` is no member" in str(failed.last_error)


@pytest.mark.parametrize(
    ("reply", "state"), [("550 no such user", "failed"), ("451 later", "waiting")]
)
def test_an_email_is_given_up_only_after_a_permanent_reply(
    settings: Settings, mailbox: Mailbox, reply: str, state: str
) -> None:
    mailbox.reply = reply
    acme = Notified(settings, mailbox.settings)
    acme.apply(f"{RULES}  - to: {{email: head@acme.com}}\n")
    acme.companies(1, 2, 1)
    acme.send_due()
    [message] = acme.messages()
    assert message.state == state
    assert reply in str(message.last_error)
