"""Aggregator, scorer and Redis killed one after the other: each comes back, and every window has its one result."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from streaming.connection import connect
from streaming.errors import TransportDown
from streaming.events import EventLog

from .checking import complaints, score_again, unlike_sent
from .running import PATIENCE_S, Running, await_sample, await_that, demo, kill, n_results, n_waiting

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(4 * PATIENCE_S)]

#: The scorer is stopped some seconds before a window falls due, so that the window finds it so.
BEFORE_FIRST, BEFORE_SECOND = 11_000, 21_000


@dataclass(frozen=True)
class Ended:
    """A demonstration whose helpers were killed."""

    code: int
    log: str
    result: dict[str, Any]
    folder: Path
    rescored: dict[str, Any]
    outcomes: list[dict[str, Any]]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, str]) -> Ended:
    """Kill the aggregator; the scorer while a window waits for it; Redis while a window waits in it."""
    with demo(tmp_path_factory.mktemp("demo"), models, seconds=None) as running:
        (session,) = running.sessions()
        folder = running.folder(session)
        running.await_said("source", session=session, state="LIVE")
        kill(running.child("aggregator"))
        scorer = _stop_scorer(running, session, before=BEFORE_FIRST)
        kill(scorer)
        await_that(lambda: n_results(folder) == 1, "the first result")
        scorer = _stop_scorer(running, session, before=BEFORE_SECOND, times=2)
        redis = running.redis()
        kill(redis)
        scorer.send_signal(signal.SIGCONT)
        running.await_said("redis started again")
        await_that(lambda: n_results(folder) == 2, "the second result")
        outcomes = _await_outcome(running.redis_url, session, n_windows=2)
        running.process.send_signal(signal.SIGINT)
        code = running.finish()
        return Ended(code, running.tail(), running.result(), folder, score_again(models, folder)[0], outcomes)


def _stop_scorer(running: Running, session: str, *, before: int, times: int = 1) -> Any:
    """Stop the scorer, so that the next window stays without a result; return its process once it does."""
    scorer = running.child("scorer-1", times=times)
    url = running.redis_url
    await_sample(url, session, before)
    known = n_results(running.folder(session))
    scorer.send_signal(signal.SIGSTOP)
    # A machine so busy that the window came before the stop makes the moment less unlucky, and nothing else.
    await_that(lambda: n_waiting(url, session) or n_results(running.folder(session)) > known, "a window on its way")
    return scorer


def _await_outcome(url: str, session: str, *, n_windows: int) -> list[dict[str, Any]]:
    """Wait until the aggregator tells of so many windows; return every outcome that is told."""

    def outcomes() -> list[dict[str, Any]]:
        try:
            with connect(url, "test") as client:
                told = [dict(event.data) for event in EventLog(client, session).read() if event.type == "outcome"]
        except TransportDown:
            return []
        return told if any(outcome["parts"]["eeg_emg"]["windows"] == n_windows for outcome in told) else []

    found: list[dict[str, Any]] = await_that(outcomes, f"an outcome of {n_windows} windows")
    return found


def test_every_window_has_one_result(ended: Ended) -> None:
    """Nothing lost, nothing doubled, the ledger balances, the folder gives the same scores again (laws 1, 2, 3, 5)."""
    assert complaints(ended.folder, ended.rescored) == []
    assert ended.code == 0, ended.log
    assert ended.result["windows"]["scored"] == ended.result["windows"]["made"] >= 2


def test_the_signal_never_notices(ended: Ended) -> None:
    """Whatever dies behind the bridge, the recording has every sample that was sent, without a loss (law 2)."""
    assert ended.result["ledger"]["declared_lost"] == 0
    assert unlike_sent(ended.folder, bed=1) == []


def test_the_outcome_is_there(ended: Ended) -> None:
    """The aggregator that came back told of both windows; the session's result says the same (law 8)."""
    eeg_emg = ended.result["outcome"]["parts"]["eeg_emg"]
    told = [outcome["parts"]["eeg_emg"] for outcome in ended.outcomes if outcome["parts"]["eeg_emg"]["windows"] == 2]
    assert ended.result["outcome"]["state"] == "PARTIAL"
    assert eeg_emg["windows"] == ended.result["windows"]["scored"]
    if eeg_emg["windows"] == 2:
        assert eeg_emg["logit"] in [part["logit"] for part in told]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ("doubled", "window 0 has 2 results"),
        ("missing", "window 1 has no result"),
        ("logit", "window 0: logit was"),
        ("ledger", "the folder gives another ledger"),
    ],
)
def test_the_check_can_fail(ended: Ended, tmp_path: Path, harm: str, words: str) -> None:
    """A doubled, missing or changed result, or a sample too many, is found: the check is not blind."""
    folder = tmp_path / ended.folder.name
    shutil.copytree(ended.folder, folder)
    results, ledger = folder / "results.jsonl", folder / "ledger.json"
    lines = results.read_bytes().splitlines(keepends=True)
    if harm == "doubled":
        results.write_bytes(b"".join([*lines, lines[0]]))
    elif harm == "missing":
        results.write_bytes(b"".join(line for line in lines if json.loads(line)["index"] != 1))
    elif harm == "logit":
        first = json.loads(lines[0])
        results.write_bytes(
            json.dumps({**first, "logit": first["logit"] + 1e-12}).encode() + b"\n" + b"".join(lines[1:])
        )
    else:
        values = json.loads(ledger.read_bytes())
        values["ledger"]["received"] += 1
        values["ledger"]["in_windows"] += 1
        ledger.write_text(json.dumps(values))
    assert any(text.startswith(words) for text in complaints(folder, ended.rescored))


def test_a_sample_that_differs_is_found(ended: Ended) -> None:
    """Compared with another bed's patient, no sample is what was sent: that check is not blind either."""
    assert unlike_sent(ended.folder, bed=2)
