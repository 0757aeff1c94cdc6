"""A lock is held by one, and free again however its holder ended."""

from __future__ import annotations

import os
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from acquisition.errors import BadEnvironment
from training.file_lock import locked


def hold(path: Path, held: Event, never: Event) -> None:
    """Hold the lock until killed."""
    with locked(path):
        held.set()
        never.wait()


def test_it_is_held_by_one_and_free_after_a_kill(tmp_path: Path):
    """The system takes it back; nothing needs to be cleaned up."""
    context = get_context("fork")
    held, never = context.Event(), context.Event()
    process = context.Process(target=hold, args=(tmp_path / "lock", held, never))
    process.start()
    assert held.wait(20)
    with pytest.raises(BlockingIOError), locked(tmp_path / "lock", wait=False):
        pytest.fail("two holders")
    process.kill()
    process.join()
    with locked(tmp_path / "lock", wait=False):
        pass


def test_a_child_of_the_holder_does_not_keep_it(tmp_path: Path):
    """A command that a trainer starts must not lock the run after the trainer is gone."""
    with locked(tmp_path / "lock"):
        held = [fd for fd in os.listdir("/proc/self/fd") if _points(fd) == str(tmp_path / "lock")]
        assert [os.get_inheritable(int(fd)) for fd in held] == [False]


def _points(fd: str) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{fd}")
    except FileNotFoundError:  # that of the listing itself
        return ""


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path):
    """With what to do."""
    with pytest.raises(BadEnvironment, match=r"lock cannot be written: No such file or directory. Make its folder"):  # noqa: SIM117
        with locked(tmp_path / "nowhere" / "lock"):
            pytest.fail("held")
