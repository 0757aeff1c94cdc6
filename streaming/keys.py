"""The name of every key, channel and group, made from the session, bed or source: nothing else spells one.

The braces make all keys of a session share a slot, should Redis ever be a cluster.
"""

from __future__ import annotations

#: Hash: session -> its entry (JSON). Written by the registry, read by everybody.
SESSIONS = "flexion:sessions"
#: Hash: bed (lower case) -> its newest session. Written by the registry.
BEDS = "flexion:beds"
#: Stream of commands, and stream of the answers to them.
CONTROL = "flexion:control"
REPLIES = "flexion:control:replies"
#: Channel of the heartbeats of every role.
HEARTBEATS = "flexion:heartbeats"
#: The consumer group of the scorers on every ``:windows`` stream.
GROUP = "scorers"


def windows(session: str) -> str:
    """Stream of windows that wait for a scorer; written by the bridge, deleted by the commit."""
    return f"flexion:{{{session}}}:windows"


def results(session: str) -> str:
    """Stream of results, never trimmed while the session is open; written by the commit."""
    return f"flexion:{{{session}}}:results"


def done(session: str) -> str:
    """Hash: window index -> the state of its one result."""
    return f"flexion:{{{session}}}:done"


def dead(session: str) -> str:
    """Stream of windows that no scorer survived, with their bytes and the reason."""
    return f"flexion:{{{session}}}:dead"


def wave(session: str) -> str:
    """Channel of wave frames; nothing is stored."""
    return f"flexion:{{{session}}}:wave"


def events(session: str) -> str:
    """Stream of what the screen must not miss."""
    return f"flexion:{{{session}}}:events"


def term(session: str) -> str:
    """String: the term of the one bridge that may publish."""
    return f"flexion:{{{session}}}:term"


def stored(session: str) -> tuple[str, ...]:
    """Every key that a session stores, for their common end of life."""
    return windows(session), results(session), done(session), dead(session), events(session), term(session)


def bed_lease(bed: str) -> str:
    """String: who may write for a bed; bed names do not regard case."""
    return f"flexion:lease:bed:{bed.lower()}"


def source_lease(source_id: str) -> str:
    """String: who may read a source."""
    return f"flexion:lease:source:{source_id}"


def entry_id(term_: int, index: int) -> str:
    """Return the entry ID of a window; it fences out older terms and repeats (law 5)."""
    return f"{term_}-{index}"


def index_of(entry: str) -> int:
    """Return the window index that an entry ID carries."""
    return int(entry.rpartition("-")[2])
