"""An organization, and the command that imports files into it."""

from pathlib import Path

import pytest

from config.settings import Settings
from tests.support.imports.files import Imports
from tests.support.world import World

RULES = """
version: 1
events: {login: , report: {called: [Report Created]}, gone: {enabled: false}}
flags:
  - flag: Logs in
    event: login
    when: {At Risk: no activity for 7 days}
"""


@pytest.fixture
def world(settings: Settings) -> World:
    return World.create(RULES)


@pytest.fixture
def imports(settings: Settings, world: World, tmp_path: Path) -> Imports:
    return Imports(settings, tmp_path, world.name)
