"""Bridge: the process of one session, from its source to Redis; started again after a crash, it goes on.

What the stream sends while nobody listens is lost. So the search for it begins first, and the libraries that condition,
record and publish are loaded while it is found and its inlet fills.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from acquisition.clock import Clock, LiveClock
from acquisition.decisions import Decision
from acquisition.errors import RecordingError
from acquisition.inlet import lsl_clock_s
from acquisition.montage import Montage
from acquisition.session import SessionFolder, SessionInfo
from acquisition.source import FileSource, GivenJudge, Source, own_decisions, read_decisions
from acquisition.tape import ResumePoint
from deploy.live_source import Searches, open_live

if TYPE_CHECKING:
    from deploy.settings import Settings
    from inference.fmri.shelf import Shelf
    from streaming.bridge import Bridge
    from streaming.outbox import Outbox
    from streaming.recorder import Recorder


def run(session: str, settings: Settings, stop: Event) -> int:
    """Run a session until it ends, and return its exit code; `stop` leaves it to a later life.

    Raises
    ------
    IdentityError, RecordingError
        If there is no such session, or what it replays is not there.
    LeaseHeld
        If another bridge that lives owns the bed or a source.
    TransportDown
        If Redis cannot be reached at the start.
    """
    folder = SessionFolder.find(settings.data_dir, session)
    montage = Montage.from_json(folder.info.montage)
    searches = Searches(folder, montage) if _is_live(folder.info) else None
    try:
        return _bridge(folder, montage, searches, settings).run(stop)
    finally:
        if searches is not None:
            searches.close()


def _is_live(info: SessionInfo) -> bool:
    return (info.source or {}).get("kind") != "file"


def _bridge(folder: SessionFolder, montage: Montage, searches: Searches | None, settings: Settings) -> Bridge:
    from acquisition.chain import Chain
    from deploy.opening import entry_of
    from streaming.bridge import Bridge
    from streaming.connection import connect
    from streaming.lease import Lease
    from streaming.outbox import Outbox
    from streaming.scans import is_scan

    info = folder.info
    clock = LiveClock(lsl_clock_s)
    chain = Chain(montage, info.mains_hz, resampled_from_hz=info.resampled_from_hz)

    def make_outbox(recorder: Recorder, tell: Callable[[], Mapping[str, Any]]) -> Outbox:
        redis = connect(str(settings.redis_url), "bridge")
        source_id, partner_id = _source_ids(info)
        lease = Lease(redis, info.bed or "", source_id, info.session, partner_id=partner_id)
        times = {"now_s": clock.lsl_s, "monotonic_s": clock.monotonic_s}
        return Outbox(redis, entry_of(info), lease, recorder, info=tell, **times)

    def open_source(point: ResumePoint) -> Source:
        return source_of(folder, montage, point, clock, searches, settled=lambda: chain.settled)

    scans = scans_of(info, settings, filter(is_scan, folder.results()))
    return Bridge(folder, chain, make_outbox, open_source, clock, scans)


def scans_of(info: SessionInfo, settings: Settings, held: Iterable[Mapping[str, Any]] = ()) -> Shelf:
    """Return where the scores of the session's patient appear, beside those that earlier lives took."""
    from inference.fmri.shelf import Shelf

    bound = info.bundles.get("fmri")
    shelf = Shelf(settings.data_dir, info.patient, bound["sha256"] if bound else None, held)
    if info.mode == "demo":
        shelf.pass_over()  # each demonstration begins without the scan of the last one
    return shelf


def _source_ids(info: SessionInfo) -> tuple[str, str]:
    """Return the source_ids of the stream and of the second one; empty where there is none."""
    source = info.source or {}
    return str(source.get("source_id", "")), str((source.get("partner") or {}).get("source_id", ""))


def source_of(
    folder: SessionFolder,
    montage: Montage,
    point: ResumePoint,
    clock: Clock,
    searches: Searches | None = None,
    *,
    settled: Callable[[], bool],
) -> Source:
    """Return the source that a session's description names, to go on where its folder ends."""
    info = folder.info
    if not _is_live(info):
        from acquisition.rounds import again
        from deploy.recorded import played_again

        recorded = played_again(Path((info.source or {})["path"]), info)
        binding = montage.bind(recorded.parts[0].labels, recorded.parts[0].units, unit=info.unit)
        decisions = again(recorded.decisions, recorded.n_samples, info.rounds)
        n_samples, n_decisions = _done(folder)
        done = {"n_samples": n_samples, "n_decisions": n_decisions}
        return FileSource(recorded.parts, binding, decisions, rounds=info.rounds, **done)
    searches = searches or Searches(folder, montage)
    return open_live(folder, montage, point, clock, searches, judge=_given_judge(folder), settled=settled)


def _given_judge(folder: SessionFolder) -> GivenJudge | None:
    """Return the judge that repeats the decisions handed over with a replay; None where there are none."""
    info = folder.info
    if info.decisions is None:
        return None
    from acquisition.rounds import again

    n_samples, n_decisions = _done(folder)
    handed = _handed(info)
    return GivenJudge(again(handed, handed[-1].at, info.rounds), n_samples, n_decisions)


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
