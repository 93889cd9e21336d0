"""The glossary, the decisions, and the changelog keep their form."""

import re
import tomllib

from tests.unit.docs.documents import blocks, project_files, read, rows_of, section

GLOSSARY = rows_of(read("docs/glossary.md"), "term")
DECISIONS = sorted(path for path in project_files() if re.match(r"docs/decisions/\d", path))
WORDS = {
    *("organization", "company", "user", "event", "event key", "flag", "level", "status"),
    *("threshold", "window", "transition", "due", "override", "delivery", "attempt", "endpoint"),
    *("circuit", "partition", "journal", "backlog", "digest", "settlement", "upcoming change"),
}
"""The words of the domain, which nothing else may mean."""

KINDS_OF_CHANGE = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_a_term_is_defined_once_and_terms_are_in_order() -> None:
    terms = [row["term"].casefold() for row in GLOSSARY]
    assert len(set(terms)) == len(terms)
    assert terms == sorted(terms)


def test_every_term_has_a_meaning_of_its_own() -> None:
    meanings = [row["meaning"] for row in GLOSSARY]
    assert all(meaning.endswith(".") for meaning in meanings)
    assert len(set(meanings)) == len(meanings)


def test_the_words_of_the_domain_are_defined() -> None:
    terms = {row["term"] for row in GLOSSARY}
    assert WORDS - terms == set()


def test_decisions_are_numbered_without_a_gap_and_have_the_same_parts() -> None:
    for number, path in enumerate(DECISIONS, 1):
        text = read(path)
        assert path.startswith(f"docs/decisions/{number:04d}-")
        assert text.startswith(f"# {number}. ")
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Measured and tried", "Consequences"], path
        for heading in headings:
            assert section(text, heading).strip(), (path, heading)


def test_every_decision_is_listed_by_its_title() -> None:
    listed = re.findall(
        r"^(\d+\. )\[(.+)\]\((.+)\)$", read("docs/decisions/README.md"), re.MULTILINE
    )
    titles = [
        (path.rsplit("/", 1)[1], read(path).splitlines()[0].removeprefix("# "))
        for path in DECISIONS
    ]
    assert [(file, number + title) for number, title, file in listed] == titles


def test_the_changelog_begins_with_what_is_unreleased() -> None:
    headings = re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    for released in headings[1:]:
        assert re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", released), released


def test_the_changelog_has_only_the_usual_kinds_of_changes() -> None:
    assert set(re.findall(r"^### (.+)$", read("CHANGELOG.md"), re.MULTILINE)) <= KINDS_OF_CHANGE


def test_the_newest_released_version_is_not_newer_than_the_package() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert not released or released[0] == version


def test_the_architecture_is_drawn_once() -> None:
    text = read("docs/architecture.md")
    assert len(blocks(text, "mermaid")) == 1
    assert len(re.findall(r"^## Idea \d", text, re.MULTILINE)) == 4


def test_every_process_of_the_procfile_is_in_the_architecture_and_in_operations() -> None:
    processes = re.findall(r"^(\w+):", read("Procfile"), re.MULTILINE)
    table = [row["process"].strip("`") for row in rows_of(read("docs/operations.md"), "process")]
    assert table == processes
    [picture] = blocks(read("docs/architecture.md"), "mermaid")
    for process in set(processes) - {"release"}:
        assert re.search(rf"\b{process}\b", picture), process
