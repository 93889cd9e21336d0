"""The dashboard's own process on embedded servers, with organizations and people."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests

from config.settings import Settings
from dashboard.access.session_cookies import MAX_LIFETIME
from models.database import transaction
from models.organizations import organizations
from models.organizations.organizations import Organization
from models.people import memberships, people, sessions
from services.accounts.passwords import Passwords
from tests.support.product.procfile_lines import running_line

PASSWORD = "correct horse battery"
START_SECONDS = 30.0


@dataclass
class RunningDashboard:
    """The URL of a running dashboard, and functions that add organizations and people to it.

    Tests share it, each in an organization of its own.
    """

    url: str
    password_hash: str = field(default_factory=lambda: Passwords().hash(PASSWORD))

    def organization(self, name: str) -> Organization:
        with transaction():
            return organizations.find(name) or organizations.create(name)

    def person(self, email: str, organization: Organization, role: str) -> str:
        """Add a person with `PASSWORD`, and return their email."""
        with transaction():
            person = people.create(email, email.split("@", maxsplit=1)[0], self.password_hash)
            memberships.add(organization.id, person.id, role)
        return email

    def session_token(self, email: str) -> str:
        """Begin a session without the sign-in page, and return the token of its cookie."""
        with transaction():
            person = people.find(email)
            assert person is not None
            return sessions.start(
                person.id,
                at=datetime.now(UTC),
                lasts=MAX_LIFETIME,
                address="127.0.0.1",
                agent="browser test",
            )


@contextmanager
def running_dashboard(settings: Settings, log: Path) -> Iterator[RunningDashboard]:
    """Start the dashboard as the Procfile does, and stop it afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with running_line("dashboard", settings, log, BRAZEBEE_DASHBOARD_PORT=str(port)) as process:
        _wait_until_ready(f"{url}/readyz", process, log)
        yield RunningDashboard(url)


def _wait_until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while True:
            try:
                if session.get(url, timeout=1).ok:
                    return
            except requests.RequestException:
                pass
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, log.read_text(errors="replace")
            time.sleep(0.05)
