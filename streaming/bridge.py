"""One session, from the source to Redis: record, condition, cut, publish (laws 1 to 5).

The bridge's thread takes what the source hands over, in order: a decision is recorded and synced before it is obeyed,
samples are on the disk before a window made from them is published. The outbox talks to Redis on a thread of its own.
A bridge that is started again on the same session reads the folder through the very same chain and goes on in a new
part; windows whose results are not in the folder are made and published again.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog

from acquisition.chain import Chain, Step, drive
from acquisition.clock import Clock
from acquisition.clock_map import brought_over
from acquisition.decisions import Decision
from acquisition.durable import free_bytes
from acquisition.errors import DiskFull, RecordingError
from acquisition.hum import Hum
from acquisition.items import SIGNAL, Item, Raw, RawMarker
from acquisition.ledger import PARTNER as OF_PARTNER
from acquisition.player import LONGEST_HOLE_S
from acquisition.session import Recovered, SessionFolder
from acquisition.source import Source
from acquisition.tape import ResumePoint, resume_point, tape_of_folder
from acquisition.windowing import Window
from streaming.errors import EndUnwritten
from streaming.framing import Framer
from streaming.outbox import Outbox
from streaming.pulse import Pulse
from streaming.recorder import Recorder
from streaming.records import WindowRecord
from streaming.scans import NO_SCANS, Scans, is_scan, told_as
from streaming.teller import Teller

#: Seconds that the source may keep the loop: a stop or a mark is noticed at most this late.
PULL_S = 0.02
#: Seconds that published windows are awaited at the end (contract).
DRAIN_S = 30.0
#: Seconds past the planned end after which a source that is away is declared lost up to it.
OVERDUE_S = 2.0
#: Seconds between looks at how two streams stand to each other.
PAIRED_EVERY_S = 1.0
#: Seconds between looks for a scan's score that came since: a listing of one small folder.
SCANS_EVERY_S = 1.0
#: Seconds without its stream after which a replay is given up; a live session never is. A hole of the recording passes
#: in real time, so that they must be more than any of these.
REPLAY_PATIENCE_S = LONGEST_HOLE_S + 15.0

log = structlog.get_logger("bridge")


class Bridge:
    """The life of one session: resume, loop, end.

    Parameters
    ----------
    folder : SessionFolder
        The record; its ``session.json`` says everything about the session.
    chain : Chain
        Fresh; it is brought up to date from the folder.
    make_outbox : callable
        Makes the way to Redis, given the recorder and what the heartbeat tells.
    open_source : callable
        Makes the source, given where the session was left.
    clock : Clock
        Time.
    scans : Scans
        Where scores of the patient's scans appear; none by default.
    """

    def __init__(
        self,
        folder: SessionFolder,
        chain: Chain,
        make_outbox: Callable[[Recorder, Callable[[], Mapping[str, Any]]], Outbox],
        open_source: Callable[[ResumePoint], Source],
        clock: Clock,
        scans: Scans = NO_SCANS,
    ) -> None:
        self._folder = folder
        self._info = folder.info
        self._chain = chain
        self._open_source = open_source
        self._clock = clock
        self._scans = scans
        self._live = (self._info.source or {}).get("kind") == "lsl"
        self._recorder = Recorder(folder, clock, may_go_unrecorded=self._info.mode in ("live", "demo"))
        self._outbox = make_outbox(self._recorder, self._heartbeat)
        self._framer = Framer(self._info.rate_hz)
        self._pulse = Pulse(chain.montage.labels)
        self._hum = Hum(chain.montage.labels, self._info.rate_hz, self._info.mains_hz)
        self._teller = Teller(self._outbox.tell, self._info, chain)
        self._next_segment = 0
        self._begun_s: float | None = None
        self._lost_s: float | None = None
        self._paired_s = 0.0
        self._scans_s = 0.0
        self._stamp_s = math.nan
        self._n_windows = 0
        self._n_unrecorded = 0
        self._ended = ""
        #: Decisions that still hold but are not in the folder, because the disk was full.
        self._unwritten: list[tuple[str, Mapping[str, Any]]] = []

    # -- the life -------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> int:
        """Run the session until it ends, or until it is told to leave it to a later life.

        Parameters
        ----------
        stop : threading.Event
            Set to leave: nothing ends, and a bridge started again goes on.

        Returns
        -------
        int
            Exit code: 0 when the ledger balances and every window has a fate, 1 when not.

        Raises
        ------
        LeaseHeld
            If another bridge that lives owns the bed or a source.
        TransportDown
            If Redis cannot be reached at the start; later it is waited for.
        BadInput
            If the source does not fit the session.
        EndUnwritten
            If the disk does not even take the session's end.
        """
        self._outbox.take()
        try:
            self._record(stop)
            return self._conclude() if self._ended else int(bool(self._outbox.fenced))
        finally:
            self._outbox.close(self._ended)

    def _record(self, stop: threading.Event) -> None:
        """Go on where the folder ends, until the session ends or is left."""
        recovered = self._folder.recover()
        point = resume_point(self._folder)
        source = self._open_source(point)  # its inlets keep what comes while the chain catches up
        try:
            self._resume(point, recovered)
            self._outbox.start()
            self._loop(source, stop)
        finally:
            source.close()
            self._recorder.close()

    def _resume(self, point: ResumePoint, recovered: Recovered) -> None:
        """Read the folder through the chain, as every reader does, and queue the windows that have no result."""
        self._next_segment = point.next_segment
        self._teller.session()
        for decision in self._folder.decisions():
            self._announce(decision)
            self._ended = str(decision.data["reason"]) if decision.kind == "end" else self._ended
        self._resume_scans()
        self._resume_notes()
        for step in drive(self._chain, tape_of_folder(self._folder), self._folder.append_decision):
            self._post(step.windows, live=False)
        self._resume_index()
        self._resume_plan(point)
        log.info("resumed" if point.part > 1 else "begun", session=self._info.session, part=point.part,
                 next_sample=self._chain.next_sample, recovered=repr(recovered))  # fmt: skip

    def _resume_scans(self) -> None:
        """Tell the scores that an earlier life of this session took; one that goes on looks for others."""
        for line in self._folder.results():
            if is_scan(line):
                self._outbox.tell(*told_as("fmri", line))
        if not self._ended:
            self._watch_scans()

    def _resume_notes(self) -> None:
        """Tell what people wrote down in an earlier life; where that cannot be read the session goes on without."""
        try:
            notes = self._folder.notes()
        except RecordingError as error:
            log.warning("notes_unreadable", cause=str(error))
            self._teller.notice("The notes so far cannot be read", "See notes.jsonl in the session's folder.")
            return
        for note in notes:
            self._teller.note(note)

    def _resume_index(self) -> None:
        """Number windows above every one that ever was: those made while unrecorded are in Redis and results alone."""
        results = self._recorder.results()
        self._n_unrecorded = sum("unrecorded" in result.flags for result in results)
        beyond = 1 + max([self._outbox.highest_index(), *(result.index for result in results)])
        if beyond > self._chain.next_index:
            self._decide("index", {"next": beyond})
        self._n_windows = self._chain.next_index

    def _resume_plan(self, point: ResumePoint) -> None:
        """Go by the session's own begin: its time passes, whether or not its source ever comes back."""
        if not self._info.clock or point.previous is None:
            return
        first = self._info.clock[0]
        begun_s = brought_over(first["lsl_s"], first["part"], self._info.clock, self._clock)
        self._begun_s = self._clock.monotonic_s() - (self._clock.lsl_s() - begun_s)
        if self._left_of_plan() == 0:
            self._end("planned")
        elif self._info.mode == "replay" and self._live:
            # What the player sent while no bridge lived is gone, and the decisions go by count.
            self._end("bridge lost before its end")

    def _loop(self, source: Source, stop: threading.Event) -> None:
        while not (self._ended or stop.is_set() or self._outbox.fenced):
            if self._outbox.failure is not None:
                raise self._outbox.failure
            for item in source.pull(PULL_S):
                if not self._ended:
                    self._take(item, source)
            self._watch(source)
            self._serve_commands()
            self._recorder.sync_if_due()
            if self._recorder.record_again():
                self._rejoin()

    def _take(self, item: Item, source: Source) -> None:
        if not self._recorder.begun:
            self._recorder.open(source.headers)
        if isinstance(item, Raw) and item.stream == SIGNAL:
            self._take_samples(item, source)
        elif isinstance(item, Raw):
            self._record_samples(item)
        elif isinstance(item, Decision):
            self._decide(item.kind, item.data, stream=item.stream)
        elif isinstance(item, RawMarker):
            self._recorder.marker(item)
        else:
            self._recorder.offset(item)

    # -- samples and decisions ------------------------------------------------------------------

    def _take_samples(self, raw: Raw, source: Source) -> None:
        """Push samples through the chain; stop where a calibration falls due, or where the plan ends."""
        x_uv = source.binding.to_uv(raw.rows)
        start = 0
        while start < len(raw) and self._left_of_plan():
            stop = min(len(raw), start + min(self._chain.room, self._left_of_plan()))
            self._record_samples(raw.part(start, stop))
            step = self._chain.push(x_uv[start:stop])
            start += step.n_taken
            self._stamp_s = self._on_our_clock(float(raw.stamps[start - 1]), source)
            self._emit(step)
            if step.calibration is not None:
                given = source.calibration_at(self._recorder.at)
                self._decide("calibration", given.data if given else step.calibration.to_json())
        if self._begun_s is None:
            late_s = self._clock.lsl_s() - self._stamp_s  # the first rows of a pair wait for their clocks' offsets
            passed_s = self._chain.next_sample / self._info.rate_hz + (late_s if late_s > 0 else 0.0)
            self._begun_s = self._clock.monotonic_s() - passed_s
        if self._left_of_plan() == 0:
            self._end("planned")

    def _on_our_clock(self, stamp_s: float, source: Source) -> float:
        """Return when a live sample was taken, by this machine's LSL clock; NaN for one of a file, or nobody knows."""
        timing = source.timing
        offset_s = timing[0].offset_s if timing else None
        return stamp_s + (math.nan if offset_s is None else offset_s)

    def _record_samples(self, raw: Raw) -> None:
        """Samples are recorded before they are conditioned; from the first that is not, windows say so."""
        self._recorder.samples(raw)
        self._follow_recorder()

    def _follow_recorder(self) -> None:
        if self._chain.recorded and not self._recorder.recorded:
            self._chain.recorded = False
            self._teller.notice(f"Not recorded: {self._recorder.failure}")

    def _left_of_plan(self) -> int:
        """Samples until the planned end; very many without one."""
        if self._info.planned_s is None:
            return 1 << 62
        return max(0, round(self._info.planned_s * self._info.rate_hz) - self._chain.next_sample)

    def _decide(self, kind: str, data: Mapping[str, Any], *, stream: int = SIGNAL) -> None:
        """Record a decision, then obey it; what is lost past the planned end is not the session's."""
        if kind == "lost" and data["reason"] != "unrecorded":
            data = {**data, "n": min(data["n"], self._left_of_plan())}
        if kind == "segment":
            data = {**data, "segment": self._next_segment}
            self._next_segment += 1
        decision = self._recorder.decision(kind, data, stream)
        if kind in ("calibration", "marker") and not self._recorder.recorded:
            self._unwritten.append((kind, data))
        self._chain.obey(decision)
        self._announce(decision)
        if kind == "end":
            self._ended = str(data["reason"])
        elif kind == "lost" and self._left_of_plan() == 0:
            self._end("planned")

    def _end(self, reason: str) -> None:
        if not self._ended:
            self._decide("end", {"reason": reason})

    def _rejoin(self) -> None:
        """Record again after the disk was full: the folder sees a hole, windows made meanwhile keep their numbers."""
        self._decide("lost", {"n": self._chain.n_unrecorded, "reason": "unrecorded"})
        self._decide("segment", {"first_sample": self._chain.next_sample, "reason": "resume"})
        self._decide("index", {"next": self._n_windows})
        missed, self._unwritten = self._unwritten, []
        for kind, data in missed:
            self._decide(kind, data)

    def _emit(self, step: Step) -> None:
        """Send on what the chain made: windows once their samples are on the disk, frames for the screen."""
        if step.windows:
            self._recorder.sync()
            self._follow_recorder()
            self._post(tuple(map(self._flagged, step.windows)), live=self._live)
        for traces in step.traces:
            self._hum.push(traces.first_sample, traces.x_uv)
            for frame in self._framer.push(traces, self._stamp_s):
                self._outbox.show(frame)
        self._pulse.cells(step.cells)
        if (humming := self._hum.notice()) is not None:
            self._teller.notice(**humming)

    def _flagged(self, window: Window) -> Window:
        """Return a window that says that it is not recorded, also when the disk refused it only just now (law 2)."""
        if self._recorder.recorded:
            return window
        return replace(window, flags=tuple(sorted({*window.flags, "unrecorded"})))

    def _post(self, windows: tuple[Window, ...], *, live: bool) -> None:
        montage, bundle = self._chain.montage, self._info.bundles.get("eeg_emg")
        for window in windows:
            behind = self._chain.next_sample - (window.first_sample + len(window.x_uv))
            stamp_s = self._stamp_s - behind / window.rate_hz if live else math.nan
            self._teller.window(window)
            if bundle is not None:
                sha256 = bundle["sha256"]
                record = WindowRecord(self._info.session, 1, window, montage.name, montage.labels, sha256, stamp_s)
                self._outbox.post(record, live=live and math.isfinite(stamp_s))
            self._n_windows = window.index + 1
            self._n_unrecorded += "unrecorded" in window.flags

    # -- source, commands, clock ----------------------------------------------------------------

    def _watch(self, source: Source) -> None:
        """Follow the source's state; end what can go no further."""
        state, cause = self._pulse.link = source.state
        self._pulse.timing = source.timing
        self._watch_pairing(source)
        if self._clock.monotonic_s() >= self._scans_s:
            self._watch_scans()
        self._teller.source(state, cause)
        away = state not in ("LIVE", "SETTLING", "LATE")
        self._lost_s = (self._lost_s or self._clock.monotonic_s()) if away else None
        if source.finished:
            self._end("end of recording")
        elif self._begun_s is not None and self._lost_s is not None:
            self._watch_absence(broken=state == "LOST")

    def _watch_pairing(self, source: Source) -> None:
        if self._clock.monotonic_s() >= self._paired_s:
            self._paired_s = self._clock.monotonic_s() + PAIRED_EVERY_S
            self._pulse.pair(source.pairing)

    def _watch_scans(self) -> None:
        """Take what came of the patient's scans: a score is the session's once it is recorded, and then told."""
        self._scans_s = self._clock.monotonic_s() + SCANS_EVERY_S
        for kind, data in (told_as(*event) for event in self._scans.new()):
            if kind == "fmri":
                self._recorder.save_scan(data)
            self._outbox.tell(kind, data)

    def _watch_absence(self, *, broken: bool) -> None:
        """A live session ends when its time is over, whatever the source does; a replay does not wait for ever.

        A replay whose stream broke is over at once: what comes next would begin anew, or miss what was sent meanwhile.
        """
        now = self._clock.monotonic_s()
        assert self._begun_s is not None and self._lost_s is not None
        if self._info.mode == "replay":
            if broken or now - self._lost_s > REPLAY_PATIENCE_S:
                self._end("source lost before its end")
        elif self._info.planned_s is not None and now > self._begun_s + self._info.planned_s + OVERDUE_S:
            self._lose_absent(self._left_of_plan())
            self._end("planned")

    def _end_by_user(self) -> None:
        """End where the time stands: what a source that is away did not send up to now is lost."""
        if self._lost_s is not None and self._begun_s is not None and self._info.mode != "replay":
            passed_s = self._clock.monotonic_s() - self._begun_s
            self._lose_absent(round(passed_s * self._info.rate_hz) - self._chain.next_sample)
        self._end("user")

    def _lose_absent(self, n_samples: int) -> None:
        if n_samples > 0:
            self._decide("lost", {"n": n_samples, "reason": "absent"})

    def _serve_commands(self) -> None:
        while self._outbox.commands:
            command = self._outbox.commands.popleft()
            sample = self._chain.next_sample
            # Half a character, which a browser may send, cannot be written down.
            text = str(command.args.get("text", "")).encode("utf-8", "replace").decode()
            if command.name == "mark":
                phase = self._chain.montage.phase_of(text)
                self._decide("marker", {"text": text, "phase": phase, "sample": sample, "author": command.author})
            elif command.name == "note":
                self._note(text, command.author, sample)
            elif command.args.get("entered_in_error"):
                self._recorder.entered_in_error()
                self._teller.corrected(replace(self._info, entered_in_error=True))
            self._outbox.answer(command, {"sample": sample})
            if command.name == "stop":
                self._end_by_user()

    def _note(self, text: str, author: str, sample: int) -> None:
        """Write down what somebody wrote, and tell it."""
        utc = self._clock.utc().isoformat(timespec="milliseconds")
        note = {"text": text, "author": author, "sample": sample, "utc": utc}
        self._recorder.note(note)
        self._teller.note(note)

    # -- what others hear -----------------------------------------------------------------------

    def _heartbeat(self) -> Mapping[str, Any]:
        tally = self._outbox.tally
        return {
            **self._pulse.to_json(),
            "next_sample": self._chain.next_sample,
            "ledger": self._chain.ledger.to_json(),
            "recorded": self._recorder.recorded,
            "recording_failure": self._recorder.failure,
            "published": len(tally.published),
            "results": len(tally.results),
            "waiting": self._outbox.waiting,
            "trouble": self._outbox.trouble,
            "latency_s": tally.latency_s,
            "other_mains": self._hum.to_json(),
            "disk_free_bytes": free_bytes(self._folder.path),
        }

    def _announce(self, decision: Decision) -> None:
        """Tell the screen what was decided, and follow it for the heartbeat."""
        self._pulse.decision(decision)
        self._teller.decision(decision)

    # -- the end --------------------------------------------------------------------------------

    def _conclude(self) -> int:
        """Wait for every window's fate, then write the ledger that everybody after us reads."""
        drained = self._outbox.drain(DRAIN_S)
        if self._outbox.fenced:
            return 1  # the folder is another bridge's now
        self._recorder.finish()
        ledger = self._chain.ledger
        windows = self._windows()
        expected = self._info.expected_samples
        rejected = sum(n for reason, n in ledger.rejected.items() if reason != OF_PARTNER)
        complete = expected is None or ledger.received + rejected == expected
        balanced = ledger.balanced and drained and complete
        summary = {
            "ended": True,
            "reason": self._ended,
            "ended_utc": self._clock.utc().isoformat(),
            "ledger": ledger.to_json(),
            "windows": windows,
            "complete": complete,
        }
        if (aligned := self._pulse.aligned()) is not None:
            summary["alignment"] = aligned
        self._write_ledger(summary)
        self._teller.end(summary)
        say = log.info if balanced else log.error  # the exit code is 1 then, and whoever started this is told why
        say("ended", session=self._info.session, reason=self._ended, balanced=balanced, complete=complete, **windows)
        return 0 if balanced else 1

    def _write_ledger(self, summary: Mapping[str, Any]) -> None:
        try:
            self._folder.write_ledger(summary)
        except DiskFull as error:
            message = f"Session {self._info.session} has ended, and its end cannot be written down: {error.message}"
            remedy = f"Free space on that disk, then score what is recorded: flexion replay {self._info.session}"
            raise EndUnwritten(message, subject=error.subject, remedy=remedy) from error

    def _windows(self) -> dict[str, int]:
        tally = self._outbox.tally
        fates = {state: tally.count(state) for state in ("scored", "not_scored", "dead_lettered")}
        return {"made": self._n_windows, "published": len(tally.published), **fates, "unrecorded": self._n_unrecorded}
