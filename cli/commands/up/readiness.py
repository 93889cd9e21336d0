"""Waits until the ingress and the dashboard are ready."""

import time

import requests

from cli.commands.up.options import Options
from config.stop_signals import StopRequest
from standalone.supervisor import Supervisor

READY_SECONDS = 30.0


def wait_until_ready(options: Options, supervisor: Supervisor, stopping: StopRequest) -> bool:
    """Wait up to `READY_SECONDS`, restarting processes that end; return whether all are ready."""
    deadline = time.monotonic() + READY_SECONDS
    pending = [options.base_url, *filter(None, [options.dashboard_url])]
    with requests.Session() as session:
        session.trust_env = False  # a proxy cannot reach our loopback interface
        while time.monotonic() < deadline and not stopping.wait(0.1):
            supervisor.restart_ended()
            try:
                while pending and session.get(f"{pending[0]}/readyz", timeout=1).ok:
                    pending.pop(0)
            except requests.RequestException:
                continue
            if not pending:
                return True
    if not stopping.is_set():
        supervisor.log(f"{' and '.join(pending)} does not answer yet; see the lines above")
    return False
