"""`brazebee secrets rotate` reports what it did, and which keys are still needed."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from cli.main import main
from config.settings import Settings
from models.database import transaction
from models.notifications import destinations
from models.organizations import organizations
from models.webhooks import webhook_endpoints

OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `brazebee secrets rotate` with keys, on an organization with an old secret."""
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    add_endpoint(OLD)

    def invoke(keys: str, *options: str) -> Result:
        monkeypatch.setenv("BRAZEBEE_SECRET_KEY", keys)
        return CliRunner().invoke(main, ["secrets", "rotate", *options])

    return invoke


def add_endpoint(key: str) -> str:
    with transaction():
        organization = organizations.find("acme") or organizations.create("acme")
        endpoint_id, _ = webhook_endpoints.add(
            organization.id, "https://example.com", secret_keys=[key]
        )
    return str(endpoint_id)


def add_destination(key: str) -> None:
    with transaction():
        organization = organizations.find("acme")
        assert organization is not None
        destinations.add(
            organization.id, "slack", "cs-alerts", "https://hooks.slack.com/services/x",
            secret_keys=[key], at=datetime.now(UTC),
        )  # fmt: skip


def test_it_tells_whether_the_old_key_is_still_needed(run: Run) -> None:
    keys = f"{NEW},{OLD}"
    assert run(keys, "--dry-run").output == (
        "1 secret would be encrypted again with the first key.\n"
        "0 secrets already encrypted with it.\n"
        "Key 2 in BRAZEBEE_SECRET_KEY is needed.\n"
    )
    assert run(keys).output == (
        "1 secret encrypted again with the first key.\n"
        "0 secrets already encrypted with it.\n"
        "Key 2 in BRAZEBEE_SECRET_KEY is not needed any more.\n"
    )
    again = run(keys, "--dry-run", "--json")
    assert json.loads(again.output) == {
        "dry_run": True,
        "reencrypted": 0,
        "current": 1,
        "deleted": 0,
        "unreadable": [],
        "needed_keys": [1],
    }
    assert run(NEW).output == (
        "0 secrets encrypted again with the first key.\n1 secret already encrypted with it.\n"
    )


def test_the_exit_code_is_1_if_no_key_decrypts_a_secret_and_the_others_are_done(run: Run) -> None:
    lost = add_endpoint(LOST)
    add_destination(LOST)
    keys = f"{NEW},{OLD}"
    assert json.loads(run(keys, "--dry-run", "--json").stdout)["needed_keys"] == [1, 2]
    done = run(keys, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "dry_run": False,
        "reencrypted": 1,
        "current": 0,
        "deleted": 0,
        "unreadable": [
            {
                "organization": "acme",
                "endpoint_id": None,
                "destination": "slack cs-alerts",
                "secret": "current",
            },
            {
                "organization": "acme",
                "endpoint_id": lost,
                "destination": None,
                "secret": "current",
            },
        ],
        "needed_keys": [1],
    }
    assert done.stderr.startswith("No key in BRAZEBEE_SECRET_KEY decrypts 2 secrets.")
    read = run(keys, "--dry-run")
    assert read.exit_code == 1
    assert [line.split() for line in read.stdout.splitlines()[-2:]] == [
        ["acme", "-", "slack", "cs-alerts", "current"],
        ["acme", lost, "-", "current"],
    ]


def test_no_key_is_printed(run: Run) -> None:
    add_endpoint(LOST)
    for options in ((), ("--dry-run",), ("--json",)):
        assert not {key for key in (OLD, NEW) if key in run(f"{NEW},{OLD}", *options).output}


@pytest.mark.parametrize(
    "command",
    [["secrets", "rotate"], ["webhooks", "rotate-secret", "018f0000-0000-7000-8000-000000000000"]],
)
def test_without_a_key_it_is_refused_in_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("BRAZEBEE_SECRET_KEY", "")
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("BRAZEBEE_SECRET_KEY is not set")
