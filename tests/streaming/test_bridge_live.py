"""The bridge on a real LSL stream: nothing is lost on the way, a stream that dies comes back, and a plan ends."""

from __future__ import annotations

import errno
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from acquisition.chain import Chain
from acquisition.clock import LiveClock
from acquisition.discovery import SourceSpec, bind_stream
from acquisition.inlet import Inlet, lsl_clock_s
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.player import Faults, play, recording_pieces
from acquisition.recording import Recording
from acquisition.source import GivenJudge, StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource
from acquisition.tape import ResumePoint, decide
from streaming import keys
from streaming.connection import connect
from streaming.control import Command, Control
from streaming.events import EventLog

from .bridging import MONTAGE, Bed, hashed, make_recording, scoring

#: Markup, and a script that runs from right to left: text like any other.
NOTE = "<b>coughs</b> يسعل"


@pytest.fixture
def source_id() -> str:
    """Return an id that no other test's stream has."""
    return uuid.uuid4().hex


@pytest.fixture
def sender(source_id: str) -> Iterator[Callable[..., threading.Thread]]:
    """Return a function that plays a recording as a stream with markers, in a thread."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def start(
        recording: Recording, *, until: Callable[[], bool] = over.is_set, faults: Faults | None = None
    ) -> threading.Thread:
        ready = threading.Event()

        def run() -> None:
            spec = OutletSpec.of(MONTAGE, "Test", source_id)
            with SignalOutlet(spec) as signal, MarkerOutlet("Test markers", source_id) as markers:
                ready.set()
                clock = LiveClock(lsl_clock_s)
                pieces = recording_pieces(recording)
                play(
                    pieces,
                    signal,
                    markers,
                    clock,
                    rate_hz=1000.0,
                    until=until,
                    stop=over.is_set,
                    faults=faults or Faults(),
                    go=go.is_set,
                )

        thread = threading.Thread(target=run)
        threads.append(thread)
        thread.start()
        assert ready.wait(10)
        return thread

    go = threading.Event()
    start.go = go  # type: ignore[attr-defined]
    yield start
    over.set()
    go.set()
    for thread in threads:
        thread.join(20)


def live_source(
    bed: Bed, source_id: str, go: threading.Event, given: GivenJudge | None = None
) -> Callable[[ResumePoint, Chain], StreamSource]:
    """Return how the bridge opens the stream; the sender goes once the inlet is open."""

    def open_source(point: ResumePoint, chain: Chain) -> StreamSource:
        place = {"next_sample": point.next_sample, "next_segment": point.next_segment, "previous": point.previous}
        judge = given or StampJudge(StampDecider(1000.0, part=point.part, **place), MONTAGE)
        source = StreamSource(SourceSpec(source_id=source_id), MONTAGE, judge, bed.clock)
        pull = source.pull

        def pull_and_tell(timeout_s: float) -> list:  # type: ignore[type-arg]
            items = pull(timeout_s)
            if source.state[0] in ("SETTLING", "LIVE"):
                go.set()
            return items

        source.pull = pull_and_tell  # type: ignore[method-assign]
        return source

    return open_source


def test_a_replay_through_lsl_scores_the_same_bits_as_the_file(redis_url, tmp_path, sender, source_id: str) -> None:
    """File and stream give the same windows, with a second consumer on the outlet too (laws 1 and 3)."""
    recording = make_recording(6_000, hole=300)
    from_file = Bed.make(redis_url, tmp_path / "file")
    through_lsl = Bed.make(
        redis_url, tmp_path / "lsl", bed="B2", source={"kind": "lsl", "source_id": source_id}, expected_samples=6_000
    )
    binding = MONTAGE.bind(recording.labels, recording.units)
    judge = GivenJudge(decide(recording, MONTAGE, binding))
    sender(recording)
    with scoring(redis_url), ExitStack() as others:
        info, _ = bind_stream(SourceSpec(source_id=source_id), MONTAGE)
        others.enter_context(Inlet(info))
        assert from_file.bridge(lambda point, chain: from_file.file_source(recording)).run(threading.Event()) == 0
        bridge = through_lsl.bridge(live_source(through_lsl, source_id, sender.go, judge))
        assert bridge.run(threading.Event()) == 0
    assert through_lsl.scores() == from_file.scores()
    part = through_lsl.again().folder.part(1)
    assert np.array_equal(part.samples, recording.samples) and len(part.markers) == 6


def test_a_live_session_ends_with_its_plan_and_says_where_every_sample_went(
    redis_url, tmp_path, sender, source_id: str
) -> None:
    """Stamps are judged live: a hole is bridged or lost, markers become phases, the plan ends on its sample (law 3)."""
    bed = Bed.make(
        redis_url, tmp_path, mode="live", origin="live", planned_s=5.0, source={"kind": "lsl", "source_id": source_id}
    )
    sender(make_recording(8_000), faults=Faults(drop=((1_500, 1_510), (2_700, 2_950))))
    with scoring(redis_url):
        assert bed.bridge(live_source(bed, source_id, sender.go)).run(threading.Event()) == 0
    ledger = (bed.again().folder.ledger() or {})["ledger"]
    assert ledger["received"] + ledger["declared_lost"] == 5_000
    assert (ledger["declared_lost"], ledger["bridged"]) == (260, 10)
    assert bed.scores() == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}
    phases = {phase for line in bed.again().folder.results() for phase, *_ in line["phases"]}
    assert phases == {"rest", "flexion"}


def test_a_stream_that_dies_is_found_again_as_a_new_segment(redis_url, tmp_path, sender, source_id):
    """The outlet closes and another one with its id opens: the hole is declared lost, the session goes on (law 4)."""
    bed = Bed.make(
        redis_url, tmp_path, mode="live", origin="live", planned_s=9.0, source={"kind": "lsl", "source_id": source_id}
    )
    first = sender(make_recording(3_000), until=lambda: True)

    def again() -> None:
        first.join()
        sender(make_recording(8_000, seed=1))

    relay = threading.Thread(target=again)
    relay.start()
    with scoring(redis_url):
        assert bed.bridge(live_source(bed, source_id, sender.go)).run(threading.Event()) == 0
    relay.join()
    decisions = bed.again().folder.decisions()
    assert [d.data["segment"] for d in decisions if d.kind == "segment"] == [0, 1]
    assert [d.data["reason"] for d in decisions if d.kind == "lost"] == ["gap"]
    assert bed.scores() == {index: hashed(x_uv) for index, x_uv in bed.remade().items()}


def test_commands_stop_and_mark_a_session(redis_url, tmp_path, sender, source_id):
    """A person's mark lands on the sample that comes next, and a stop ends the session with all fates known."""
    bed = Bed.make(redis_url, tmp_path, mode="live", origin="live", source={"kind": "lsl", "source_id": source_id})
    sender(make_recording(20_000))
    codes: list[int] = []
    bridge = threading.Thread(
        target=lambda: codes.append(bed.bridge(live_source(bed, source_id, sender.go)).run(threading.Event()))
    )
    with scoring(redis_url):
        bridge.start()
        assert sender.go.wait(15)
        control = Control(connect(redis_url, "test", blocking=True))
        assert control.send("mark", {"session": bed.session, "text": "extension"}, "a tester").ok
        assert control.send("note", {"session": bed.session, "text": NOTE}, "a tester").ok
        send_half_a_character(redis_url, bed.session)
        assert control.send("stop", {"session": bed.session, "entered_in_error": True}, "a tester").ok
        bridge.join(20)
    assert codes == [0]
    folder = bed.again().folder
    assert [d.data["phase"] for d in folder.decisions() if d.kind == "marker" and d.data["text"] == "extension"] == [
        "extension"
    ]
    assert [note["text"] for note in folder.notes()] == [NOTE, "half ?"] and (folder.ledger() or {})["reason"] == "user"
    told = EventLog(connect(redis_url, "test"), bed.session).read()
    assert [event.data for event in told if event.type == "note"] == folder.notes()
    assert [event.data["entered_in_error"] for event in told if event.type == "session"] == [False, True]
    assert folder.info.entered_in_error


def send_half_a_character(redis_url, session):
    """Send a note that no sender of ours would: what cannot be written down must not end the bridge."""
    fields = Command("odd", "note", {"session": session, "text": "half \ud83d"}, "a tester").encode()
    connect(redis_url, "test").xadd(keys.CONTROL, dict(zip(fields[::2], fields[1::2], strict=True)))


def test_a_full_disk_leaves_the_session_unrecorded_by_name_until_it_records_again(
    redis_url, tmp_path, sender, source_id, monkeypatch
):
    """The disk refuses for two seconds: windows say so, a new part opens with the hole, the ledger balances (law 2)."""
    monkeypatch.setattr("streaming.recorder.RETRY_S", 0.5)
    write, full = os.write, threading.Event()

    def refusing(handle: int, data: bytes) -> int:
        if full.is_set():
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, data)

    monkeypatch.setattr("acquisition.durable.os.write", refusing)
    bed = Bed.make(
        redis_url, tmp_path, mode="live", origin="live", planned_s=8.0, source={"kind": "lsl", "source_id": source_id}
    )
    sender(make_recording(10_000))
    source = live_source(bed, source_id, sender.go)

    def filling(point, chain):
        opened = source(point, chain)
        pull = opened.pull

        def pull_and_fill(timeout_s):
            full.set() if 2_000 < chain.next_sample < 4_200 else full.clear()
            return pull(timeout_s)

        opened.pull = pull_and_fill
        return opened

    with scoring(redis_url):
        bed.bridge(filling).run(threading.Event())
    folder = bed.again().folder
    ledger = folder.ledger()
    assert folder.part_numbers() == [1, 2]
    assert [d.data["reason"] for d in folder.decisions() if d.kind == "lost"] == ["unrecorded"]
    assert ledger["ledger"]["balanced"] and ledger["windows"]["unrecorded"] >= 2
    flagged = {line["index"] for line in folder.results() if "unrecorded" in line["flags"]}
    remade = bed.remade()
    scores = bed.scores()
    assert flagged and not flagged & set(remade), "a window that the folder cannot give is flagged"
    assert scores == {index: scores[index] for index in flagged} | {i: hashed(x_uv) for i, x_uv in remade.items()}
