"""Jobs: one thing at a time, bounded, and nobody waits for them at the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acquisition.errors import RecordingError
from dashboard.archive import Archive
from dashboard.errors import TooBusy
from dashboard.jobs import MAX_JOBS, Jobs, Stopped, Tell
from tests.dashboard.conftest import SOON_S


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    """Return a thread for jobs."""
    jobs = Jobs()
    yield jobs
    jobs.close()


def until_done(jobs: Jobs, name: str, work: Callable[[Tell], None]) -> None:
    """Ask until it is done."""
    while jobs.ask(name, work) is not None:
        threading.Event().wait(0.01)


def test_work_says_how_far_it_is_and_is_done_once(jobs: Jobs) -> None:
    """Whoever asks meanwhile hears the share; who asks after the end hears that it is done."""
    told, go, begun = threading.Event(), threading.Event(), []

    def work(tell: Tell) -> None:
        begun.append("a")
        tell(0.25)
        told.set()
        assert go.wait(SOON_S)

    jobs.ask("a", work)
    assert told.wait(SOON_S)
    assert jobs.ask("a", work) == 0.25
    go.set()
    until_done(jobs, "a", work)
    assert begun == ["a"]


def test_what_went_wrong_is_told_once(jobs: Jobs) -> None:
    """The next one who asks tries again."""

    def fail(tell: Tell) -> None:
        raise RecordingError("torn", subject="a")

    with pytest.raises(RecordingError, match="torn"):
        until_done(jobs, "a", fail)
    until_done(jobs, "a", lambda tell: None)


def test_no_more_than_a_few_wait(jobs: Jobs) -> None:
    """A page that asks for everything at once is told to come back."""
    go = threading.Event()
    for name in range(MAX_JOBS):
        jobs.ask(str(name), lambda tell: go.wait(SOON_S) and None)
    with pytest.raises(TooBusy, match=f"{MAX_JOBS} recordings are being read already"):
        jobs.ask("one more", lambda tell: None)
    go.set()


def test_what_a_page_left_behind_keeps_nobody_out(jobs: Jobs) -> None:
    """Sessions that were opened and left before they were made: their work is done, and nobody asks for it again."""
    for name in range(MAX_JOBS):
        jobs.ask(str(name), lambda tell: None)
    for job in [*jobs._jobs.values()]:
        job.done.result(SOON_S)
    until_done(jobs, "one more", lambda tell: None)


def test_the_end_lets_go_of_what_is_being_done() -> None:
    """The process ends at the next word of the work; it does not sit out the rest."""
    jobs, begun, closed, ended = Jobs(), threading.Event(), threading.Event(), []

    def work(tell: Tell) -> None:
        begun.set()
        assert closed.wait(SOON_S)
        try:
            tell(0.5)
        except Stopped:
            ended.append("stopped")
            raise

    jobs.ask("a", work)
    assert begun.wait(SOON_S)
    jobs.close()
    closed.set()
    jobs._thread.shutdown(wait=True)
    assert ended == ["stopped"]


def test_a_system_that_knows_no_niceness_of_threads_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is done all the same."""

    def refuse(*args: int) -> None:
        raise OSError("no such thread")

    monkeypatch.setattr(os, "setpriority", refuse)
    jobs = Jobs()
    until_done(jobs, "a", lambda tell: None)
    jobs.close()


def test_a_bundle_that_cannot_be_read_is_no_reason_to_show_nothing(tmp_path: Path) -> None:
    """Those that ship are at hand all the same."""
    library = Archive(tmp_path, ["/nowhere"])._shelf()
    assert library.lack_of({"name": "a", "version": "1", "sha256": "0" * 64}).count("lstm-bands") == 1
