"""Bridge: the process that carries one session from its source to Redis.

Everything about the session stands in its ``session.json``; started again on the same session, it goes on with it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from threading import Event

from acquisition.chain import Chain
from acquisition.clock import Clock, LiveClock
from acquisition.discovery import SourceSpec
from acquisition.errors import RecordingError
from acquisition.inlet import lsl_clock_s
from acquisition.montage import Montage
from acquisition.session import SessionFolder, SessionInfo
from acquisition.source import (
    FileSource,
    GivenJudge,
    Judge,
    Source,
    StampJudge,
    flatten_decisions,
    own_decisions,
    read_decisions,
)
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource
from acquisition.tape import ResumePoint, open_decisions
from deploy.roles.player import recordings_of
from deploy.settings import Settings
from deploy.ward import entry_of
from streaming.bridge import Bridge
from streaming.connection import connect
from streaming.lease import Lease
from streaming.outbox import Outbox

#: Seconds that a session's first search for its stream may take; one that was found is looked for without end.
PATIENCE_S = 15.0


def run(session: str, settings: Settings, stop: Event) -> int:
    """Carry a session until it ends or `stop`; return the exit code.

    Raises
    ------
    FlexionError
        If it cannot begin: Redis away, bed or source held by another, no stream, a stream that does not fit.
    """
    folder = SessionFolder.find(settings.data_dir, session)
    info = folder.info
    assert settings.redis_url is not None and info.source is not None
    montage = Montage.from_json(info.montage)
    chain = Chain(montage, info.mains_hz, resampled_from_hz=info.resampled_from_hz)
    clock = LiveClock(lsl_clock_s)
    redis = connect(settings.redis_url, f"bridge-{session}")
    lease = Lease(redis, info.bed or session, info.source.get("source_id", ""), session)

    def open_source(point: ResumePoint) -> Source:
        if info.source is not None and info.source["kind"] == "file":
            return _file_source(folder, montage, point)
        return _stream_source(info, montage, point, clock)

    bridge = Bridge(
        folder,
        chain,
        lambda recorder, heartbeat: Outbox(
            redis, entry_of(info), lease, recorder, info=heartbeat, now_s=clock.lsl_s, monotonic_s=clock.monotonic_s
        ),
        open_source,
        clock,
    )
    return bridge.run(stop)


def _stream_source(info: SessionInfo, montage: Montage, point: ResumePoint, clock: Clock) -> StreamSource:
    assert info.source is not None
    criteria = SourceSpec(**{key: info.source.get(key) or None for key in ("name", "source_id", "hostname")})
    patience_s = PATIENCE_S if point.previous is None else float("inf")
    judge = _judge(info, montage, point)
    return StreamSource(criteria, montage, judge, clock, unit=info.unit, patience_s=patience_s)


def _judge(info: SessionInfo, montage: Montage, point: ResumePoint) -> Judge:
    if info.decisions is not None:
        return GivenJudge(read_decisions(_checked(Path(info.decisions["path"]), info.decisions["sha256"])))
    decider = StampDecider(
        info.rate_hz,
        part=point.part,
        next_sample=point.next_sample,
        next_segment=point.next_segment,
        counter_modulo=montage.counter_modulo,
        previous=point.previous,
    )
    return StampJudge(decider, montage)


def _file_source(folder: SessionFolder, montage: Montage, point: ResumePoint) -> FileSource:
    assert folder.info.source is not None
    path = Path(folder.info.source["path"])
    parts = recordings_of(path, montage, folder.info.unit)
    binding = montage.bind(parts[0].labels, parts[0].units, unit=folder.info.unit)
    if path.is_dir():
        played = SessionFolder.open(path)
        decisions = flatten_decisions(played.parts(), played.decisions())
    else:
        decisions = flatten_decisions(parts, open_decisions(parts[0], montage, binding).decisions)
    n_samples = sum(len(part.stamps) for part in folder.parts())
    n_decisions = own_decisions(folder.decisions())
    return FileSource(parts, binding, decisions, n_samples=n_samples, n_decisions=n_decisions)


def _checked(path: Path, sha256: str) -> Path:
    """Return the path of the decisions that were handed over, if they are still the same."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        found = str(error)
    if found != sha256:
        message = f"{path} holds other decisions than were handed over ({found})."
        raise RecordingError(message, subject=str(path), remedy="Start the replay again.")
    return path
