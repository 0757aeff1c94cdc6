"""Occupancy: which streams open sessions have, whose cues may begin, and the correction of a session that has ended.

Two sessions on one stream would both be recorded, one of them under the wrong patient: the second is refused with the
bed of the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from redis import Redis

from acquisition.errors import FlexionError
from acquisition.identity import same_name
from acquisition.session import SessionFolder, SessionInfo
from deploy.errors import WrongUse
from streaming import keys
from streaming.errors import SourceBusy
from streaming.events import EventLog
from streaming.lease import Holder
from streaming.sessions import Registry

#: Who has a stream: its session and bed.
Held = Mapping[str, str | None]


def sources_of(source: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the source_ids of a session's stream and of its partner; none for a file, and for streams without one.

    Examples
    --------
    >>> sources_of({"kind": "lsl", "source_id": "CAP", "partner": {"source_id": "LEGS"}})
    ('CAP', 'LEGS')
    >>> sources_of({"kind": "file", "path": "a.xdf"})
    ()
    """
    named = (source or {}, (source or {}).get("partner") or {})
    return tuple(str(one["source_id"]) for one in named if one.get("source_id"))


def holders(redis: Redis, source_ids: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Return which of these streams a living bridge holds, and for which session."""
    held: dict[str, dict[str, str | None]] = {}
    for source_id in filter(None, source_ids):
        value = redis.get(keys.source_lease(source_id))
        if isinstance(value, bytes) and not (holder := Holder.decode(value)).is_gone():
            entry = Registry(redis).find(holder.session)
            held[source_id] = {"session": holder.session, "bed": None if entry is None else entry.bed}
    return held


def check_free(info: SessionInfo, taken: Mapping[str, Held]) -> None:
    """Refuse a session whose stream another bed's has; the same bed is refused by the registry, as busy.

    Raises
    ------
    SourceBusy
        Names the stream, and the bed of the session that has it.
    """
    for source_id in sources_of(info.source):
        held = taken.get(source_id)
        if held is not None and not same_name(str(held["bed"]), str(info.bed)):
            raise SourceBusy(
                f"Stream {source_id} belongs to the open session {held['session']} of bed {held['bed']}.",
                subject=source_id,
                remedy=f"Stop the session of bed {held['bed']} first, or choose another stream.",
            )


def cues_of(bed: str, seated: Iterable[SessionInfo]) -> SessionInfo:
    """Return the session of a bed whose cues may begin.

    Raises
    ------
    WrongUse
        If there is none with a stream that the markers could stand beside.
    """
    for info in seated:
        if same_name(str(info.bed), bed) and sources_of(info.source):
            return info
    raise WrongUse(
        f"Bed {bed} has no session on a stream here.", subject=bed, remedy="Start the session first, then the cues."
    )


def is_closed(redis: Redis, data: Path, session: str) -> bool:
    """Tell whether a session has ended, and its folder is on this machine; False where that cannot be told now."""
    try:
        SessionFolder.find(data, session)
        entry = Registry(redis).find(session)
    except FlexionError:
        return False
    return entry is None or not entry.is_open


def correct(redis: Redis, data: Path, session: str) -> None:
    """Mark a session that has ended as entered in error; the pages that still show it are told.

    Raises
    ------
    IdentityError
        If there is no such session.
    DiskFull
        If the disk does not take it.
    """
    folder = SessionFolder.find(data, session)
    folder.update(entered_in_error=True)
    log = EventLog(redis, session)
    told = next((event.data for event in log.read() if event.type == "session"), None)
    if told is not None:
        log.append("session", {**told, "entered_in_error": True})
