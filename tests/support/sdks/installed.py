"""The SDKs that `make sdks` installs, and how their drivers are started."""

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.files import ROOT

HERE = Path(__file__).parent
DRIVERS = HERE / "drivers"
PYTHON = ROOT / ".sdks" / "python" / "bin" / "python"
NODE_MODULES = ROOT / ".sdks" / "node" / "node_modules"

REQUIRED = "BRAZEBEE_REQUIRE_SDKS"
"""With this variable, which CI sets, an SDK that is missing is a failure."""


@dataclass(frozen=True)
class Sdk:
    """One SDK: its package, its driver, and the name in package.json if it is another one.

    `gives_up` tells that it drops calls in an outage of some seconds, and says so.
    """

    package: str
    driver: str
    alias: str = ""
    events_only: bool = False
    gives_up: bool = False

    @property
    def is_for_python(self) -> bool:
        return self.driver.endswith(".py")

    @property
    def installed_as(self) -> str:
        return self.alias or self.package

    @property
    def version(self) -> str:
        """Return the version that is locked."""
        if self.is_for_python:
            locked = (HERE / "requirements.txt").read_text(encoding="utf-8")
            found = re.search(rf"^{re.escape(self.package)}==(\S+)", locked, re.MULTILINE)
            return found.group(1) if found else "none"
        packages = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        return str(packages[f"node_modules/{self.installed_as}"]["version"])

    @property
    def language(self) -> str:
        return "Python" if self.is_for_python else "Node"

    @property
    def title(self) -> str:
        return f"{self.package} {self.version} ({self.language})"

    @property
    def prefix(self) -> str:
        """Return what begins the ids of its companies and users."""
        name = f"{self.package}-{self.version}-{Path(self.driver).suffix[1:]}"
        return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")

    @property
    def command(self) -> list[str]:
        driver = str(DRIVERS / self.driver)
        if self.is_for_python:
            return [str(PYTHON), driver]
        return ["node", driver, self.installed_as]

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": "/nonexistent",
            "NODE_PATH": str(NODE_MODULES),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def why_missing(self) -> str:
        """Return why its driver cannot run here, or an empty text."""
        if self.is_for_python:
            return "" if PYTHON.exists() else "`make sdks` has not installed it"
        if shutil.which("node") is None:
            return "Node is not installed"
        here = (NODE_MODULES / self.installed_as / "package.json").exists()
        return "" if here else "`make sdks` has not installed it"


SDKS = (
    Sdk("segment-analytics-python", "segment_python.py"),
    Sdk("@segment/analytics-node", "segment_node.cjs"),
    Sdk(
        "@segment/analytics-node",
        "segment_node.cjs",
        alias="@segment/analytics-node-1",
        gives_up=True,
    ),
    Sdk("analytics-node", "analytics_node.cjs", gives_up=True),
    Sdk("rudder-sdk-python", "rudder_python.py"),
    Sdk("@rudderstack/rudder-sdk-node", "rudder_node.cjs", gives_up=True),
    Sdk("posthog", "posthog_python.py", gives_up=True),
    Sdk("posthog-node", "posthog_node.cjs"),
    Sdk("cloudevents", "cloudevents_python.py", events_only=True),
    Sdk("cloudevents", "cloudevents_node.cjs", events_only=True),
)
