"""`brazebee notify`: destinations, by their names or with their service before it, and tests."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from cli.commands.notifications import group
from cli.main import main
from config.settings import Settings
from models.database import transaction
from models.encrypted_secrets import decrypt
from models.notifications import destinations, message_log
from models.organizations import organizations

Run = Callable[..., Result]

URL = "https://hooks.slack.com/services/T/B/{}"


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `brazebee notify` for an organization with a Slack and a Teams channel `cs`."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setenv("BRAZEBEE_SECRET_KEY", settings.secret_keys[0])
    monkeypatch.setenv("BRAZEBEE_WEBHOOK_ALLOW_NETS", "127.0.0.0/8")
    monkeypatch.setenv("BRAZEBEE_WEBHOOK_TIMEOUT", "1s")
    monkeypatch.setattr(group, "TEST_SPARE_SECONDS", 0.5)
    with transaction():
        organizations.create("acme")

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["notify", *arguments, "--org", "acme"])

    for service in ("slack", "teams"):
        assert invoke("add", service, "cs", URL.format("first")).exit_code == 0
    return invoke


def states(run: Run) -> list[tuple[str, str]]:
    listed = json.loads(run("list", "--json").stdout)["destinations"]
    return [(each["service"], each["state"]) for each in listed]


def test_a_name_that_two_services_have_needs_its_service(run: Run) -> None:
    refused = run("disable", "cs")
    assert refused.exit_code == 1
    assert "Two services have `cs`; write for example `slack cs`." in refused.stderr
    assert run("disable", "slack cs").exit_code == 0
    assert states(run) == [("slack", "disabled"), ("teams", "active")]
    assert "There is no destination `x`" in run("test", "x").stderr


def test_a_new_url_replaces_the_old_one_and_enables_the_destination(
    run: Run, settings: Settings
) -> None:
    run("disable", "slack cs")
    replaced = run("replace-url", "slack cs", URL.format("second"))
    assert (replaced.exit_code, replaced.stdout) == (0, "")
    assert states(run) == [("slack", "active"), ("teams", "active")]
    with transaction():
        [organization] = organizations.list_all()
        slack, _ = destinations.list_for_organization(organization.id)
    assert decrypt(slack.encrypted_url, settings.secret_keys) == URL.format("second")
    assert "first" not in run("list").stdout
    assert "second" not in run("list").stdout


def test_a_test_that_nothing_sends_is_reported_with_the_time_that_it_was_waited_for(
    run: Run,
) -> None:
    tested = run("test", "slack cs")
    assert tested.exit_code == 1
    assert "Not sent within 1.5 seconds: are `clock` and `deliver` running?" in tested.stderr
    with transaction():
        [organization] = organizations.list_all()
        [message] = message_log.list_newest(organization.id, limit=5)
    assert (message.service, message.recipient) == ("slack", "cs")
