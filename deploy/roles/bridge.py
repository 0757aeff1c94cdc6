"""Bridge: the process of one session, from its source to Redis; started again after a crash, it goes on."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event
from typing import Any

from acquisition.chain import Chain
from acquisition.clock import Clock, LiveClock
from acquisition.decisions import Decision
from acquisition.discovery import SourceSpec
from acquisition.errors import RecordingError
from acquisition.inlet import lsl_clock_s
from acquisition.montage import Montage
from acquisition.rounds import again
from acquisition.session import SessionFolder, SessionInfo
from acquisition.source import FileSource, GivenJudge, Judge, Source, StampJudge, own_decisions, read_decisions
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource
from acquisition.tape import ResumePoint
from deploy.opening import entry_of
from deploy.recorded import played_again
from deploy.settings import Settings
from streaming.bridge import Bridge
from streaming.connection import connect
from streaming.lease import Lease
from streaming.outbox import Outbox
from streaming.recorder import Recorder

#: Seconds until a stream that was seen when the session was opened must be found again by its bridge.
FIND_S = 60.0


def run(session: str, settings: Settings, stop: Event) -> int:
    """Run a session until it ends, and return its exit code; `stop` leaves it to a later life.

    Raises
    ------
    IdentityError, RecordingError
        If there is no such session, or what it replays is not there.
    LeaseHeld
        If another bridge that lives owns the bed or the source.
    TransportDown
        If Redis cannot be reached at the start.
    """
    folder = SessionFolder.find(settings.data_dir, session)
    info = folder.info
    montage = Montage.from_json(info.montage)
    clock = LiveClock(lsl_clock_s)
    chain = Chain(montage, info.mains_hz, resampled_from_hz=info.resampled_from_hz)

    def make_outbox(recorder: Recorder, tell: Callable[[], Mapping[str, Any]]) -> Outbox:
        redis = connect(str(settings.redis_url), "bridge")
        lease = Lease(redis, info.bed or "", str((info.source or {}).get("source_id", "")), session)
        times = {"now_s": clock.lsl_s, "monotonic_s": clock.monotonic_s}
        return Outbox(redis, entry_of(info), lease, recorder, info=tell, **times)

    def open_source(point: ResumePoint) -> Source:
        return source_of(folder, montage, point, clock, settled=lambda: chain.settled)

    return Bridge(folder, chain, make_outbox, open_source, clock).run(stop)


def source_of(
    folder: SessionFolder, montage: Montage, point: ResumePoint, clock: Clock, *, settled: Callable[[], bool]
) -> Source:
    """Return the source that a session's description names, to go on where its folder ends."""
    info = folder.info
    source = info.source or {}
    if source.get("kind") == "file":
        recorded = played_again(Path(source["path"]), info)
        binding = montage.bind(recorded.parts[0].labels, recorded.parts[0].units, unit=info.unit)
        decisions = again(recorded.decisions, recorded.n_samples, info.rounds)
        n_samples, n_decisions = _done(folder)
        done = {"n_samples": n_samples, "n_decisions": n_decisions}
        return FileSource(recorded.parts, binding, decisions, rounds=info.rounds, **done)
    criteria = SourceSpec(source["name"], source["source_id"], source["hostname"])
    # A stream that the session has had already is waited for without end: nobody abandons a patient.
    patience_s = FIND_S if point.previous is None else math.inf
    judge = _judge(folder, montage, point)
    return StreamSource(criteria, montage, judge, clock, unit=info.unit, patience_s=patience_s, settled=settled)


def _judge(folder: SessionFolder, montage: Montage, point: ResumePoint) -> Judge:
    info = folder.info
    if info.decisions is not None:
        n_samples, n_decisions = _done(folder)
        handed = _handed(info)
        return GivenJudge(again(handed, handed[-1].at, info.rounds), n_samples, n_decisions)
    decider = StampDecider(
        montage.rate_hz,
        part=point.part,
        next_sample=point.next_sample,
        next_segment=point.next_segment,
        counter_modulo=montage.counter_modulo,
        previous=point.previous,
        any_rate=True,  # the source is told, and ends the session or leaves the stream
    )
    return StampJudge(decider, montage)


def _done(folder: SessionFolder) -> tuple[int, int]:
    """Return how many samples, and how many of the handed decisions, earlier lives have recorded."""
    return sum(len(part.stamps) for part in folder.parts()), own_decisions(folder.decisions())


def _handed(info: SessionInfo) -> list[Decision]:
    """Return the decisions that were handed over with a replay, if they are the very ones."""
    assert info.decisions is not None
    path = Path(info.decisions["path"])
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _not_handed(path, f"cannot be read: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != info.decisions["sha256"]:
        raise _not_handed(path, "was changed since the replay began")
    return read_decisions(path)


def _not_handed(path: Path, why: str) -> RecordingError:
    return RecordingError(f"{path}, the decisions of this replay, {why}.", subject=str(path), remedy="Replay it anew.")
