"""The options of `brazebee up`, and the addresses that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from standalone.data_directory import DataDirectory


@dataclass(frozen=True)
class Options:
    """Options of one run; `scale` maps a process to its number, `rules` is the watched file."""

    host: str
    port: int
    dashboard_port: int
    data: DataDirectory
    scale: Mapping[str, int]
    rules: Path

    @property
    def base_url(self) -> str:
        """The URL of the ingress for clients on this machine."""
        return self._url(self.port)

    @property
    def dashboard_url(self) -> str | None:
        """The URL of the dashboard for people on this machine; None if it is scaled to 0."""
        return self._url(self.dashboard_port) if self.scale.get("dashboard", 1) else None

    def _url(self, port: int) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"
