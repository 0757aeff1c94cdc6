"""The cues on the whole live path: their markers are found beside the amplifier's stream and become phases."""

from __future__ import annotations

import threading
import uuid
from itertools import groupby

from acquisition.chain import Chain
from acquisition.clock import LiveClock
from acquisition.cue_desk import CueDesk
from acquisition.cues import Event
from acquisition.discovery import SourceSpec
from acquisition.inlet import lsl_clock_s
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.paradigm import PHASES, ParadigmPlan
from acquisition.player import play, recording_pieces
from acquisition.source import StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource
from acquisition.tape import ResumePoint

from .bridging import MONTAGE, Bed, make_recording, scoring

#: Two trials within the seconds that the session lasts.
PLAN = ParadigmPlan(still_s=1.0, preparation_s=0.5, flexion_s=0.7, rest_s=0.5, extension_s=0.7, n_trials=2)
SESSION_S = 8.0
SOON_S = 20.0


def test_the_phases_of_the_cues_arrive_in_the_windows(redis_url, tmp_path) -> None:
    """Signal and cues come from two outlets; the record has every marker, the windows the phases in order (law 3)."""
    source_id = uuid.uuid4().hex
    bed = Bed.make(
        redis_url,
        tmp_path,
        mode="live",
        origin="live",
        planned_s=SESSION_S,
        source={"kind": "lsl", "source_id": source_id},
    )
    over = threading.Event()

    def open_source(point: ResumePoint, chain: Chain) -> StreamSource:
        decider = StampDecider(
            1000.0,
            part=point.part,
            next_sample=point.next_sample,
            next_segment=point.next_segment,
            previous=point.previous,
        )
        return StreamSource(SourceSpec(source_id=source_id), MONTAGE, StampJudge(decider, MONTAGE), bed.clock)

    with (
        SignalOutlet(OutletSpec.of(MONTAGE, "Amplifier", source_id)) as signal,
        MarkerOutlet("Flexion cues", source_id) as markers,
    ):
        desk = CueDesk(PLAN, markers.push, LiveClock(lsl_clock_s))

        def go() -> bool:
            """Begin as soon as somebody receives the markers, which the bridge opens after the signal."""
            if not markers.heard:
                return False
            desk.command(Event.START)
            return True

        pieces = recording_pieces(make_recording(12_000))
        sender = threading.Thread(
            target=lambda: play(pieces, signal, None, bed.clock, rate_hz=1000.0, go=go, stop=over.is_set)
        )
        cues = threading.Thread(target=desk.run)
        sender.start()
        cues.start()
        try:
            with scoring(redis_url):
                assert bed.bridge(open_source).run(threading.Event()) == 0
        finally:
            over.set()
            desk.command(Event.STOP)
            sender.join(SOON_S)
            cues.join(SOON_S)
    folder = bed.again().folder
    assert [marker.text for marker in folder.part(1).markers] == [text for _, text in PLAN.events()]
    assert [marker.stamp_s for marker in folder.part(1).markers] == [sent.stamp_s for sent in desk.sent]
    lines = sorted(folder.results(), key=lambda line: line["index"])
    seen = [phase for phase, _ in groupby(span[0] for line in lines for span in line["phases"])]
    assert seen == list(PHASES) * 2
