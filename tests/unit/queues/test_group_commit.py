import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from queues.group_commit import GroupCommit


class Work:
    """Notes the groups that it is given; held back until released."""

    def __init__(self, *, held: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.begun = threading.Event()
        self.released = threading.Event()
        if not held:
            self.released.set()

    def __call__(self, group: Sequence[int]) -> None:
        self.groups.append(list(group))
        self.begun.set()
        assert self.released.wait(5)
        if 13 in group:
            raise ValueError("unlucky")


def test_who_is_alone_is_a_group_of_its_own() -> None:
    work = Work()
    commit = GroupCommit(work, most=10)
    commit.submit([1])
    commit.submit([2, 3])
    assert work.groups == [[1], [2, 3]]


def submit_while_busy(commit: GroupCommit[int], work: Work, *, items: Sequence[int]) -> list[str]:
    """Submit 0, and while that is under way the items; what each is told."""

    def submit(item: int) -> str:
        try:
            commit.submit([item])
        except ValueError as error:
            return str(error)
        return "done"

    with ThreadPoolExecutor(len(items) + 1) as threads:
        first = threads.submit(submit, 0)
        assert work.begun.wait(5)
        others = [threads.submit(submit, item) for item in items]
        while commit._gathering[len(items) - 1 :] == []:  # noqa: SLF001 -- who waits is not told
            pass
        work.released.set()
        return [first.result(5), *(other.result(5) for other in others)]


def test_what_comes_while_a_group_is_under_way_is_the_next_group() -> None:
    work = Work(held=True)
    told = submit_while_busy(GroupCommit(work, most=100), work, items=range(20, 40))
    assert told == ["done"] * 21
    assert [sorted(group) for group in work.groups] == [[0], list(range(20, 40))]


def test_a_group_has_its_most() -> None:
    work = Work(held=True)
    submit_while_busy(GroupCommit(work, most=8), work, items=range(20, 40))
    assert [len(group) for group in work.groups] == [1, 8, 8, 4]
    assert sorted(item for group in work.groups for item in group) == [0, *range(20, 40)]


def test_one_thread_may_bring_more_than_the_most() -> None:
    work = Work()
    GroupCommit(work, most=2).submit([1, 2, 3])
    assert work.groups == [[1, 2, 3]]


def test_all_of_a_group_that_failed_are_told_and_the_next_goes_on() -> None:
    work = Work(held=True)
    commit = GroupCommit(work, most=100)
    told = submit_while_busy(commit, work, items=[12, 13, 14])
    assert told == ["done", "unlucky", "unlucky", "unlucky"]
    with pytest.raises(ValueError, match="unlucky"):
        commit.submit([13])
    commit.submit([15])
    assert work.groups[-1] == [15]


def test_nothing_is_lost_or_done_twice_under_load() -> None:
    work = Work()
    commit = GroupCommit(work, most=7)
    with ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda n: commit.submit([n * 100 + 100, n * 100 + 101]), range(500)))
    done = [item for group in work.groups for item in group]
    assert sorted(done) == sorted(n * 100 + extra for n in range(500) for extra in (100, 101))


def test_after_an_error_that_is_not_of_all_only_who_brought_the_reason_is_told() -> None:
    work = Work(held=True)
    commit = GroupCommit(work, most=100, of_all=(OSError,))
    told = submit_while_busy(commit, work, items=[12, 13, 14])
    assert told == ["done", "done", "unlucky", "done"]
