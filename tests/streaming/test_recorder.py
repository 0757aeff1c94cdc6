"""The recorder: two threads write one folder, and a disk that refuses is never a reason to lose what was known."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace

import numpy as np
import pytest

from acquisition.clock import FakeClock
from acquisition.decisions import Decision
from acquisition.errors import DiskFull
from acquisition.formats.xdf import read_part
from acquisition.items import PARTNER
from acquisition.session import RESERVE_BYTES, SessionFolder
from acquisition.source import ClockOffset, Raw, RawMarker, headers_of
from streaming.recorder import RETRY_S, SYNC_S, Recorder

from .bridging import make_info, make_recording
from .makers import make_result


class Disk:
    """A disk that can be full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        write = os.write

        def checked(handle: int, data: bytes) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(handle, data)

        monkeypatch.setattr("acquisition.durable.os.write", checked)


@pytest.fixture
def disk(monkeypatch):
    """Return the disk under the folder."""
    return Disk(monkeypatch)


@pytest.fixture
def clock():
    """Return a time that passes when told."""
    return FakeClock()


@pytest.fixture
def folder(tmp_path):
    """Return an empty session."""
    return SessionFolder.create(tmp_path, make_info(mode="live", origin="live"))


@pytest.fixture
def recorder(folder, clock):
    """Return a recorder with an open part."""
    opened = Recorder(folder, clock, may_go_unrecorded=True)
    opened.open(headers_of(make_recording(10)))
    return opened


def raw(n: int = 10) -> Raw:
    """Return a few samples of 16 channels."""
    return Raw(np.zeros((n, 16), np.float32), np.arange(n) / 1000)


def test_everything_lands_in_the_folder(recorder, folder):
    """Samples, markers, offsets, decisions, terms, notes and results are there when it is read again."""
    recorder.decision("segment", {"segment": 0, "first_sample": 0, "reason": "start"})
    recorder.samples(raw())
    recorder.marker(RawMarker("rest", 0.005))
    recorder.offset(ClockOffset(0, 1.0, 0.25))
    recorder.save_term(4)
    recorder.note({"text": "coughs"})
    recorder.save_result(make_result(3), 0.5)
    recorder.close()
    assert recorder.highest_term() == 4 and recorder.results() == [make_result(3)]
    again = SessionFolder.open(folder.path)
    assert len(again.part(1).stamps) == 10 and [m.text for m in again.part(1).markers] == ["rest"]
    assert [(d.kind, d.at) for d in again.decisions()] == [("segment", 0), ("term", 10)]
    assert again.notes() == [{"text": "coughs"}] and again.results()[0]["latency_s"] == 0.5
    assert [entry["part"] for entry in again.info.clock] == [1]


def test_the_partner_s_samples_come_before_the_rows_that_they_are_in(folder, clock):
    """Two streams lie side by side, decisions are addressed by their own stream's count, and no row is ever alone."""
    pair = Recorder(folder, clock, may_go_unrecorded=True)
    signal, markers = headers_of(make_recording(10))
    pair.open(
        (signal, markers, replace(signal, channel_format="int16", channel_count=2, labels=("RF", "VM"), units=()))
    )
    begun = folder.part_path(1).stat().st_size
    partner = Raw(np.arange(20, dtype=np.int16).reshape(10, 2), 5.0 + np.arange(10) / 1000)
    pair.decision("segment", {"segment": 0, "first_sample": 0, "reason": "start"})
    pair.samples(replace(raw(), partner=partner))
    pair.decision("unpaired", {"n": 3, "reason": "slip"}, PARTNER)
    pair.samples(replace(partner.part(0, 3), stream=PARTNER))
    pair.decision("slip", {"sample": 10, "n": -1, "error_s": 0.0}, PARTNER)
    pair.samples(replace(raw(4), partner=partner.part(0, 4)))
    pair.close()
    streams = read_part(folder.part_path(1)).streams
    assert [len(stream.stamps) for stream in streams] == [14, 0, 17]
    assert np.array_equal(streams[2].values[10:13], partner.samples[:3]) and streams[2].values.dtype == np.int16
    lines = (folder.path / "decisions.jsonl").read_bytes().splitlines()
    written = [Decision.from_line(line) for line in lines]
    assert [(d.kind, d.stream, d.at) for d in written] == [("segment", 0, 0), ("unpaired", 2, 10), ("slip", 2, 13)]
    whole = folder.part_path(1).read_bytes()
    for n_bytes in range(begun, len(whole), 5):  # wherever a crash cuts it
        folder.part_path(1).write_bytes(whole[:n_bytes])
        streams = read_part(folder.part_path(1)).streams
        assert len(streams[0].stamps) <= len(streams[2].stamps)


def test_it_syncs_every_second(recorder, clock, monkeypatch):
    """A power cut may cost the last second, not more."""
    syncs = []
    monkeypatch.setattr("acquisition.durable._datasync", syncs.append)
    recorder.sync_if_due()
    recorder.sync_if_due()
    assert len(syncs) == 1
    clock.sleep(SYNC_S)
    recorder.sync_if_due()
    assert len(syncs) == 2


def test_a_full_disk_is_named_and_results_wait_for_the_next_part(recorder, disk, clock, folder):
    """What could not be written is written when the disk takes it; the part is another one."""
    recorder.samples(raw())
    disk.full = True
    recorder.samples(raw())
    recorder.save_result(make_result(0), None)
    assert not recorder.recorded and "No space left" in recorder.failure and recorder.at == 10
    assert not recorder.record_again(), "it is too early to try"
    clock.sleep(RETRY_S)
    assert not recorder.record_again(), "the disk is still full"
    disk.full = False
    clock.sleep(RETRY_S)
    assert recorder.record_again() and recorder.recorded
    assert (recorder.part_number, recorder.at) == (2, 0)
    assert recorder.results() == [make_result(0)]
    assert not recorder.record_again(), "it records already"


def test_a_replay_ends_at_a_full_disk(folder, clock, disk):
    """A recording can be replayed again: nothing is gained by going on unrecorded."""
    strict = Recorder(folder, clock, may_go_unrecorded=False)
    disk.full = True
    with pytest.raises(DiskFull, match="No space left"):
        strict.open(headers_of(make_recording(10)))


def test_the_end_has_room_on_a_full_disk(recorder, folder, disk):
    """What is kept for the end is given back then: results that waited are written, and it stays unrecorded by name."""
    reserve = folder.path / "reserve"
    assert reserve.stat().st_size == RESERVE_BYTES
    disk.full = True
    recorder.samples(raw())
    recorder.save_result(make_result(0), 0.5)
    assert recorder.results() == []
    disk.full = False  # as much as was kept
    recorder.finish()
    assert recorder.results() == [make_result(0)]
    assert not reserve.exists() and not recorder.recorded


def test_a_disk_without_room_for_the_end_still_records(folder, disk, clock):
    """Nothing is kept then, nothing is left of the try, and samples have what room there is."""
    recorder = Recorder(folder, clock, may_go_unrecorded=True)
    disk.full = True
    recorder.open(headers_of(make_recording(10)))
    assert not (folder.path / "reserve").exists()
    disk.full = False
    clock.sleep(RETRY_S)
    assert recorder.record_again()


def test_a_replay_keeps_no_room(folder, clock):
    """It ends where its disk is full: its recording is elsewhere."""
    Recorder(folder, clock, may_go_unrecorded=False).open(headers_of(make_recording(10)))
    assert not (folder.path / "reserve").exists()


def test_two_threads_never_tear_a_line(recorder, folder):
    """Terms and results of one thread and samples and decisions of another are whole lines."""

    def results() -> None:
        for index in range(50):
            recorder.save_result(make_result(index), None)
            recorder.save_term(index + 1)

    thread = threading.Thread(target=results)
    thread.start()
    for _ in range(50):
        recorder.samples(raw(1))
        recorder.decision("marker", {"text": "x", "phase": None, "sample": 0})
    thread.join()
    assert len(folder.decisions()) == 100 and len(recorder.results()) == 50 and recorder.highest_term() == 50


def test_results_wait_in_order_for_a_disk_that_takes_them(recorder, disk, folder, clock):
    """What the outbox's thread brings while the disk is full, and right after, is on the disk in order, each once."""
    disk.full = True
    recorder.samples(raw())
    recorder.save_result(make_result(0), None)
    recorder.save_result(make_result(1), None)
    disk.full = False
    clock.sleep(RETRY_S)
    assert recorder.record_again()
    recorder.save_result(make_result(2), None)
    assert [line["index"] for line in folder.results()] == [0, 1, 2]


def test_what_people_said_waits_for_a_disk_that_takes_it(recorder, disk, folder):
    """A note, and that it is the wrong patient: both were answered as done, so the end writes them down."""
    disk.full = True
    recorder.samples(raw())
    recorder.note({"text": "coughs"})
    recorder.entered_in_error()
    assert not folder.notes() and not SessionFolder.open(folder.path).info.entered_in_error
    disk.full = False
    recorder.finish()
    assert folder.notes() == [{"text": "coughs"}] and SessionFolder.open(folder.path).info.entered_in_error


def test_a_term_that_the_disk_did_not_take_is_remembered(recorder, disk):
    """The next term is above it, and the recording is not read again to know that: the bridge would wait for it."""
    disk.full = True
    recorder.save_term(7)
    assert not recorder.recorded and recorder.highest_term() == 7
