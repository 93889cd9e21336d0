"""Checks that the ports are free before anything is started."""

import socket

from cli.commands.up.options import Options
from cli.errors import CommandError


def check_ports(options: Options) -> None:
    """Check the ports of the ingress and the dashboard.

    Raises:
        CommandError: the two are the same, or one is not available.
    """
    _check_port(options.host, options.port, "--port or PORT")
    if options.dashboard_url:
        if options.dashboard_port == options.port:
            raise CommandError(f"The dashboard needs its own port, not {options.port} too.")
        setting = "--dashboard-port or BRAZEBEE_DASHBOARD_PORT"
        _check_port(options.host, options.dashboard_port, setting)


def _check_port(host: str, port: int, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with {setting}."
            ) from None
