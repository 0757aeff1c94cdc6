"""Ctrl-C ends a session as a user does, at any moment of its life, and leaves nothing behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from acquisition.session import SessionFolder

from .running import PATIENCE_S, Running, all_gone, await_sample, demo, kill

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(4 * PATIENCE_S)]


def _in_the_middle(running: Running, session: str) -> None:
    """Wait for some seconds of signal."""
    await_sample(running.redis_url, session, 2_000)


def _at_the_start(running: Running, session: str) -> None:
    """Wait for nothing: the bridge has been started and hears nobody yet."""
    running.child(f"bridge {session}")


def _while_the_bridge_is_dead(running: Running, session: str) -> None:
    """Kill the bridge: a command finds nobody."""
    _in_the_middle(running, session)
    kill(running.child(f"bridge {session}"))


@pytest.mark.parametrize("moment", [_in_the_middle, _at_the_start, _while_the_bridge_is_dead])
def test_an_interrupt_ends_the_session_and_leaves_nothing(
    tmp_path: Path, models: Mapping[str, str], moment: Callable[[Running, str], None]
) -> None:
    """The end is written down, the result printed, no process and no socket remain (laws 3 and 5)."""
    with demo(tmp_path, models, seconds=None) as running:
        (session,) = running.sessions()
        processes, redis_folder = running.processes(), running.redis_folder
        moment(running, session)
        processes = list({*processes, *running.processes()})
        running.process.send_signal(signal.SIGINT)
        code = running.finish()
        result = running.result()
        ledger = SessionFolder.open(running.folder(session)).ledger()
        assert ledger is not None and ledger["reason"] == "user", running.tail()
        assert result["session"] == session and result["ledger"]["balanced"]
        assert code == 0, running.tail()
        assert all_gone(processes) and not redis_folder.exists()
