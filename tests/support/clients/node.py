"""Whether Node is there for the client in JavaScript."""

import shutil

import pytest

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
