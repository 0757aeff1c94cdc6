"""The planned end of a session holds whatever is lost around it, and a replay that cannot be whole says so."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acquisition.decisions import Decision
from acquisition.source import FileSource, Item
from acquisition.tape import resume_point
from streaming.connection import connect
from streaming.control import Control
from streaming.results import ResultReader

from .bridging import MONTAGE, Bed, hashed, make_recording, scoring

LSL = {"kind": "lsl", "source_id": "amp"}


class AwaySource(FileSource):
    """A recording whose stream breaks after some samples, and does not come back."""

    BLOCK = 100

    def __init__(self, bed: Bed, n_samples: int, state: str = "LOST") -> None:
        recording = make_recording(9_000)
        first = [Decision("segment", 1, 0, 0, {"first_sample": 0, "reason": "start"})]
        super().__init__([recording], MONTAGE.bind(recording.labels, recording.units), first)
        self._left = n_samples
        self._away = state
        #: Set once the bridge asks for what is not there.
        self.missed = threading.Event()

    @property
    def state(self) -> tuple[str, str]:
        return ("LIVE", "") if self._left > 0 else (self._away, "it is gone")

    def pull(self, timeout_s: float) -> list[Item]:
        if self._left <= 0:
            self.missed.set()
            threading.Event().wait(timeout_s)
            return []
        self._left -= self.BLOCK
        return super().pull(timeout_s)


def run(bed: Bed, source: Any) -> int:
    """Run the bed's bridge on a source to its end and return its exit code."""
    return bed.bridge(lambda point, chain: source).run(threading.Event())


def leave(bed: Bed, n_samples: int) -> Bed:
    """Let a first life record so many samples and leave the session open."""
    stop = threading.Event()
    source = bed.stopping_source(make_recording(), stop, after=n_samples // 100)
    assert bed.bridge(lambda point, chain: source).run(stop) == 0
    return bed.again()


def begun_earlier(bed: Bed, seconds: float) -> Bed:
    """Let the session's first part have begun so long ago, before a restart of the machine."""
    (mark,) = bed.folder.info.clock
    earlier = {**mark, "utc_s": datetime.now(UTC).timestamp() - seconds, "boot": "another"}
    bed.folder.rewrite(replace(bed.folder.info, clock=(earlier,)))
    return bed.again()


def test_a_loss_across_the_planned_end_ends_there(redis_url: str, tmp_path: Path) -> None:
    """A hole that begins before the planned end and lasts beyond it is lost up to the plan and no further (law 3)."""
    bed = Bed.make(redis_url, tmp_path, mode="live", planned_s=5.0)
    with scoring(redis_url):
        assert run(bed, bed.file_source(make_recording(9_000, hole=2_000))) == 0
    ended = bed.again().folder.ledger() or {}
    assert (ended["ledger"]["received"], ended["ledger"]["declared_lost"]) == (4_500, 500)
    assert ended["reason"] == "planned"
    assert bed.scores() == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}


def test_a_stop_while_the_source_is_away_ends_by_time(redis_url: str, tmp_path: Path) -> None:
    """What a source that is away did not send up to the end is lost, by the time that passed (law 3)."""
    bed = begun_earlier(leave(Bed.make(redis_url, tmp_path, mode="live", planned_s=60.0, source=LSL), 3_000), 10.0)
    source, codes = AwaySource(bed, 0, "SEARCHING"), []
    bridge = threading.Thread(target=lambda: codes.append(run(bed, source)))
    with scoring(redis_url):
        bridge.start()
        assert source.missed.wait(20)
        control = Control(connect(redis_url, "test", blocking=True))
        assert control.send("stop", {"session": bed.session}, "a tester").ok
        bridge.join(20)
    ended = bed.again().folder.ledger() or {}
    assert codes == [0] and ended["reason"] == "user"
    assert ended["ledger"]["received"] == 3_000 and ended["ledger"]["declared_lost"] >= 7_000
    assert [d.data["reason"] for d in bed.again().folder.decisions() if d.kind == "lost"] == ["absent"]


def test_a_plan_that_passed_while_no_bridge_lived_is_over(redis_url: str, tmp_path: Path) -> None:
    """A bridge that comes back after the planned end, and finds no stream, ends the session by its time (law 3)."""
    bed = begun_earlier(leave(Bed.make(redis_url, tmp_path, mode="live", planned_s=5.0, source=LSL), 3_000), 60.0)
    with scoring(redis_url):
        assert run(bed, AwaySource(bed, 0, "SEARCHING")) == 0
    ended = bed.again().folder.ledger() or {}
    assert (ended["ledger"]["received"], ended["ledger"]["declared_lost"]) == (3_000, 2_000)
    assert [d.data["reason"] for d in bed.again().folder.decisions() if d.kind == "lost"] == ["absent"]


def test_a_plan_that_was_fulfilled_before_its_end_was_written_is_over(redis_url: str, tmp_path: Path) -> None:
    """A bridge that died between the last planned sample and the decision to end needs no stream to end (law 5)."""
    bed = leave(Bed.make(redis_url, tmp_path, mode="live", planned_s=3.0, source=LSL), 2_900)
    bed.folder.update(planned_s=2.9)
    bed = bed.again()
    with scoring(redis_url):
        assert run(bed, AwaySource(bed, 0, "SEARCHING")) == 0
    assert ((bed.again().folder.ledger() or {})["ledger"]["received"], bed.again().folder.part_numbers()) == (
        2_900,
        [1],
    )


def test_a_result_that_comes_before_its_window_is_remade_is_not_awaited_again(redis_url: str, tmp_path: Path) -> None:
    """What an earlier life published may be scored before the next life makes it again: nobody waits then (law 5)."""
    bed = leave(Bed.make(redis_url, tmp_path, mode="live", planned_s=3.0, source=LSL), 2_900)
    blocking = connect(redis_url, "test", blocking=True)
    with scoring(redis_url):
        reader, n_results = ResultReader(blocking, bed.session), 0
        while n_results < 2:
            n_results += len(reader.read(0.5))
    assert bed.scores() == {}
    bridge = bed.bridge(lambda point, chain: AwaySource(bed, 0, "SEARCHING"))
    bridge._outbox.take()
    bridge._resume(resume_point(bed.folder), bed.folder.recover())
    bridge._outbox.start()
    assert bridge._outbox.drain(10.0)
    bridge._outbox.close()
    assert sorted(bed.scores()) == [0, 1]


@pytest.mark.parametrize("how", ["stream", "bridge"])
def test_a_replay_that_was_broken_is_not_whole(redis_url: str, tmp_path: Path, how: str) -> None:
    """A player that begins anew, or played on while no bridge lived, cannot make it whole: exit code 1 (law 1)."""
    bed = Bed.make(redis_url, tmp_path, mode="replay", source=LSL, expected_samples=9_000)
    with scoring(redis_url):
        if how == "stream":
            code = run(bed, AwaySource(bed, 3_000))
        else:
            bed = leave(bed, 3_000)
            code = run(bed, bed.file_source(make_recording()))
    ended = bed.again().folder.ledger() or {}
    assert code == 1 and not ended["complete"]
    assert ended["reason"] == ("source lost before its end" if how == "stream" else "bridge lost before its end")
    assert ended["ledger"]["received"] == 3_000


def test_a_state_is_told_once(redis_url: str, tmp_path: Path) -> None:
    """However long a source is away, the events say so once; the seconds pass in the heartbeats (law 7)."""
    bed = Bed.make(redis_url, tmp_path, mode="live", planned_s=3.5, source=LSL)
    source = AwaySource(bed, 3_000)
    bridge = bed.bridge(lambda point, chain: source)
    with scoring(redis_url):
        bridge.run(threading.Event())
    told = [data["state"] for kind, data in bridge._outbox._told if kind == "source"]
    assert told == ["LIVE", "LOST"]
