"""The bridge: everything recorded, every window with one result, and a session that survives its bridge."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acquisition.errors import DiskFull, RecordingError
from acquisition.session import SessionFolder
from streaming.connection import connect
from streaming.errors import EndUnwritten, LeaseHeld
from streaming.events import EventLog
from streaming.lease import Holder, Lease
from streaming.sessions import Registry

from .bridging import Bed, hashed, make_recording, scoring
from .makers import make_result


def test_a_recording_becomes_windows_and_each_gets_one_score(redis_url: str, tmp_path: Path) -> None:
    """A file goes through recorder, chain, Redis and scorer; folder, scores and ledger agree (laws 1, 2, 3, 5)."""
    bed = Bed.make(redis_url, tmp_path, expected_samples=9_000)
    with scoring(redis_url):
        code = bed.bridge(lambda point, chain: bed.file_source(make_recording(9_000, hole=500))).run(threading.Event())
    ledger = bed.again().folder.ledger()
    assert code == 0 and ledger is not None
    assert ledger["ledger"]["balanced"] and ledger["ledger"]["received"] == 9_000
    assert ledger["ledger"]["declared_lost"] == 500
    assert ledger["windows"]["made"] == ledger["windows"]["scored"] == 8
    assert bed.scores() == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}


def test_a_bridge_that_was_stopped_goes_on_where_the_folder_ends(redis_url: str, tmp_path: Path) -> None:
    """A second life replays the folder, opens a new part and makes the very windows that one life would (law 2)."""
    recording = make_recording(9_000)
    whole = Bed.make(redis_url, tmp_path / "whole")
    split = Bed.make(redis_url, tmp_path / "split", bed="B2")
    with scoring(redis_url):
        assert whole.bridge(lambda point, chain: whole.file_source(recording)).run(threading.Event()) == 0
        stop = threading.Event()
        assert split.bridge(lambda point, chain: split.stopping_source(recording, stop, after=47)).run(stop) == 0
        split = split.again()
        assert split.folder.ledger() is None and split.folder.next_part() == 2
        assert split.bridge(lambda point, chain: split.file_source(recording)).run(threading.Event()) == 0
    assert split.scores() == whole.scores()
    assert (split.again().folder.ledger() or {})["ledger"] == (whole.again().folder.ledger() or {})["ledger"]
    assert [len(part.stamps) for part in split.again().folder.parts()] == [4_700, 4_300]


def test_notes_that_cannot_be_read_end_no_session(redis_url: str, tmp_path: Path) -> None:
    """A spoiled line is said; the signal goes on (law 10)."""
    bed = Bed.make(redis_url, tmp_path)
    (bed.folder.path / "notes.jsonl").write_text("not JSON\n")
    with scoring(redis_url):
        assert bed.bridge(lambda point, chain: bed.file_source(make_recording(3_000))).run(threading.Event()) == 0
    told = EventLog(connect(redis_url, "test"), bed.session).read()
    assert "The notes so far cannot be read" in [event.data["text"] for event in told if event.type == "notice"]


def test_a_wiped_redis_costs_nothing(redis_url: str, tmp_path: Path) -> None:
    """Results that Redis forgot are put back from the folder, windows it lost are published again (laws 2 and 5)."""
    bed = Bed.make(redis_url, tmp_path)
    recording = make_recording(12_000)
    client = connect(redis_url, "test")
    with scoring(redis_url):
        source = bed.file_source(recording)
        pull, n = source.pull, 0

        def wiping(timeout_s: float) -> list:  # type: ignore[type-arg]
            nonlocal n
            n += 1
            if n in (50, 80):
                client.flushall()
            return pull(timeout_s)

        source.pull = wiping  # type: ignore[method-assign]
        assert bed.bridge(lambda point, chain: source).run(threading.Event()) == 0
    assert bed.scores() == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}
    assert len(bed.scores()) == 11


def test_an_end_that_the_disk_does_not_take_is_said(redis_url: str, tmp_path: Path, monkeypatch) -> None:
    """The session is over, its bed is free, and what is recorded can be scored when the disk has room again."""
    bed = Bed.make(redis_url, tmp_path)

    def refuse(self, ledger) -> None:
        raise DiskFull("ledger.json takes no more of the record: full.", subject="ledger.json", remedy="Free space.")

    monkeypatch.setattr(SessionFolder, "write_ledger", refuse)
    words = f"Session {bed.session} has ended, .*ledger.json takes no more.*flexion replay {bed.session}"
    with scoring(redis_url), pytest.raises(EndUnwritten, match=words):
        bed.bridge(lambda point, chain: bed.file_source(make_recording(3_000))).run(threading.Event())
    assert not Registry(connect(redis_url, "test")).find(bed.session).is_open
    assert len(bed.scores()) == 2


def test_two_bridges_never_write_one_session(redis_url: str, tmp_path: Path) -> None:
    """A bed that a living process holds is refused to a second bridge, which names the holder (law 5)."""
    bed = Bed.make(redis_url, tmp_path)
    recording = make_recording(3_000)
    first = bed.bridge(lambda point, chain: bed.file_source(recording))
    first._outbox.take()
    other = Bed.make(redis_url, tmp_path)

    lease = Lease(
        connect(redis_url, "other"), "B1", "", other.session, holder=Holder("elsewhere", "b", "p", 1, "1", "x")
    )
    with pytest.raises(LeaseHeld, match="held by"):
        lease.acquire(0)
    first._outbox.close()
    assert lease.acquire(0) == 1


def test_a_bridge_that_cannot_begin_gives_its_bed_back(redis_url: str, tmp_path: Path) -> None:
    """What it was to read is not there: it says so, and nobody waits for its lease to run out (law 10)."""
    bed = Bed.make(redis_url, tmp_path)

    def refuse(point, chain):
        raise RecordingError("There is no noise.xdf.", subject="noise.xdf")

    with pytest.raises(RecordingError, match="There is no noise.xdf"):
        bed.bridge(refuse).run(threading.Event())
    assert connect(redis_url, "test").keys("flexion:lease:*") == []


def test_numbers_of_windows_that_the_folder_cannot_give_are_not_used_again(redis_url, tmp_path):
    """Windows made while unrecorded are known by their results alone: the next life counts on above them."""
    recording = make_recording(9_000)
    bed = Bed.make(redis_url, tmp_path)
    with scoring(redis_url):
        stop = threading.Event()
        assert bed.bridge(lambda point, chain: bed.stopping_source(recording, stop, after=47)).run(stop) == 0
        unrecorded = replace(make_result(20, session=bed.session), flags=("unrecorded",))
        bed.folder.append_result({**unrecorded.to_json(), "latency_s": None})
        bed = bed.again()
        assert bed.bridge(lambda point, chain: bed.file_source(recording)).run(threading.Event()) == 0
    scores = bed.scores()
    assert sorted(scores) == [0, 1, 2, 3, 20, 21, 22, 23, 24]
    assert {index: score for index, score in scores.items() if index != 20} == {
        index: hashed(x_uv) for index, x_uv in bed.remade().items()
    }
    assert (bed.again().folder.ledger() or {})["windows"]["unrecorded"] == 1


def test_mains_of_the_other_frequency_is_named_and_changes_no_window(redis_url: str, tmp_path: Path) -> None:
    """60 Hz in a session that filters 50 Hz: people are told once, in words; the windows are those of the folder."""
    bed = Bed.make(redis_url, tmp_path, expected_samples=12_000)
    recording = make_recording(12_000)
    t_s = np.arange(12_000) / 1000
    recording.samples[:, 3] += (120 * np.sin(2 * np.pi * 60 * t_s)).astype(np.float32)
    bridge = bed.bridge(lambda point, chain: bed.file_source(recording))
    with scoring(redis_url):
        assert bridge.run(threading.Event()) == 0
    notices = [data for kind, data in bridge._outbox._told if kind == "notice"]
    assert [data["text"] for data in notices] == ["Mains of 60 Hz in C4: this session filters 50 Hz alone."]
    assert "start anew with mains 60 Hz" in notices[0]["remedy"]
    said = bridge._heartbeat()
    assert said["other_mains"] == {"hz": 60.0, "channels": ["C4"]} and said["disk_free_bytes"] > 0
    assert bed.scores() == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}
