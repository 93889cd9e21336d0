"""What a document links to, or names, exists."""

import re
from fnmatch import fnmatch
from importlib import import_module
from importlib.util import find_spec

import pytest

from config.files import ROOT
from tests.unit.docs.documents import anchors, documents, links, project_files, prose, read, spans

TOP_LEVEL = {path.split("/")[0] for path in project_files()}
PACKAGES = {path.split("/")[0] for path in project_files() if path.endswith("__init__.py")}
PATH = re.compile(r"[\w.*-]+(/[\w.*-]*)+")
FILE = re.compile(r"[\w.-]+\.(py|md|lark|lua|sql|toml)")
DOTTED = re.compile(r"[a-z_]+(\.\w+)+")


@pytest.mark.parametrize("document", documents())
def test_every_relative_link_leads_somewhere(document: str) -> None:
    for link in links(read(document)):
        if re.match(r"https?://|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / document).parent / path if path else ROOT / document
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("document", documents())
def test_every_path_that_is_named_exists(document: str) -> None:
    for span in spans(read(document)):
        if "NNNN" in span:
            continue  # the number of a file to come
        if PATH.fullmatch(span) and span.split("/")[0] in TOP_LEVEL:
            assert _exists(span), span
        elif FILE.fullmatch(span):
            assert any(path.split("/")[-1] == span for path in project_files()), span


@pytest.mark.parametrize("document", documents())
def test_every_name_in_code_that_is_named_exists(document: str) -> None:
    for span in spans(read(document)):
        if DOTTED.fullmatch(span) and span.split(".")[0] in PACKAGES and not FILE.fullmatch(span):
            assert _is_defined(span), span


def test_every_document_is_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        for link in links(read(document)):
            path = ((ROOT / document).parent / link.split("#")[0]).resolve()
            if path.suffix == ".md" and path.is_relative_to(ROOT):
                name = str(path.relative_to(ROOT))
                waiting += [] if name in reached else [name]
    vendored = {path for path in documents() if "/vendor/" in path}
    assert set(documents()) - vendored == reached


def test_the_readme_is_short() -> None:
    assert len(read("README.md").splitlines()) <= 150


def test_lines_of_prose_fit_a_screen() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/operations.md"):
        for line in prose(read(document)).splitlines():
            assert len(line) <= 130 or line.lstrip().startswith(("|", "<img")), line


def _exists(path: str) -> bool:
    pattern = f"{path}*" if path.endswith("/") else path
    return any(fnmatch(file, pattern) or file.startswith(f"{path}/") for file in project_files())


def _is_defined(dotted: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    parts = dotted.split(".")
    for split in range(len(parts), 0, -1):
        name = ".".join(parts[:split])
        if _is_module(name):
            found: object = import_module(name) if split < len(parts) else None
            for attribute in parts[split:]:
                fields = getattr(found, "__dataclass_fields__", {})
                if not hasattr(found, attribute) and attribute not in fields:
                    return False
                found = getattr(found, attribute, None)
            return True
    return False


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
