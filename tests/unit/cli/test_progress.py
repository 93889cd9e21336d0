import pytest

from cli import progress
from cli.progress import show_progress, wait_for_zero, with_progress

STILL_WAITING = "deliveries are still waiting."


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.0)


def test_items_pass_unchanged() -> None:
    assert list(with_progress(iter("abc"), length=3, label="Items")) == ["a", "b", "c"]


def test_all_steps_are_consumed() -> None:
    steps = iter([3, 0, 7])
    show_progress(steps, length=10, label="Rows")
    assert list(steps) == []


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    list(with_progress(iter("abc"), length=3, label="Quick"))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    list(with_progress(iter("ab"), length=2, label="Companies"))
    show_progress(iter([1_000, 500]), length=1_500, label="Rows")
    assert capsys.readouterr().err.splitlines() == [
        "Companies: 1 of 2",
        "Companies: 2 of 2",
        "Rows: 1,000 of 1,500",
        "Rows: 1,500 of 1,500",
    ]


def test_waiting_ends_when_the_count_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    counts = iter([3, 3, 5, 1, 0])
    wait_for_zero(
        lambda: next(counts), length=4, label="Sending", patience_seconds=60, leftover=STILL_WAITING
    )
    assert list(counts) == []
    assert capsys.readouterr().err == ""


def test_waiting_is_given_up_without_progress(capsys: pytest.CaptureFixture[str]) -> None:
    wait_for_zero(
        lambda: 2, length=4, label="Sending", patience_seconds=0.01, leftover=STILL_WAITING
    )
    assert capsys.readouterr().err == "2 deliveries are still waiting.\n"
