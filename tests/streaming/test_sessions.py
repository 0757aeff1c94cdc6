"""Which sessions there are, and which bed has which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streaming import keys
from streaming.errors import BedBusy
from streaming.publisher import Publisher
from streaming.sessions import KEEP_MS, Registry, SessionEntry

from .makers import make_record


def entry(session, bed="Bed-4"):
    """Return an entry."""
    return SessionEntry(session, bed, "P1", "live", "2026-11-22T10:00:00Z")


@pytest.fixture
def registry(redis):
    """Return the registry."""
    return Registry(redis)


def test_a_session_is_found_by_name_and_bed(registry):
    """Bed names do not regard case; unknown ones have none."""
    registry.open(entry("s1"))
    assert registry.find("s1") == registry.on_bed("bed-4") == entry("s1")
    assert registry.beds() == {"Bed-4": entry("s1")}
    assert registry.find("s2") is registry.on_bed("bed-5") is None


def test_a_bed_has_one_open_session(registry):
    """Another is refused by name until the first is closed; the same again is harmless."""
    registry.open(entry("s1"))
    registry.open(entry("s1"))
    with pytest.raises(BedBusy, match=r"Bed bed-4 has the open session s1; session s2 .*Stop session s1 first"):
        registry.open(entry("s2", "bed-4"))
    registry.close("s1", "stop")
    registry.open(entry("s2", "bed-4"))
    assert registry.beds() == {"bed-4": entry("s2", "bed-4")}


def test_a_replay_needs_no_bed(registry):
    """Sessions without a bed are not in each other's way."""
    registry.open(entry("s1", None))
    registry.open(entry("s2", None))
    assert registry.entries() == [entry("s1", None), entry("s2", None)]
    assert registry.beds() == {}


def test_what_a_closed_session_stores_expires(redis, registry):
    """All its keys go 24 h after the close; its entry says when and why."""
    registry.open(entry("s1"))
    publisher = Publisher(redis, "s1", 1)
    publisher.open()
    registry.close("s1", "planned end")
    found = registry.find("s1")
    assert found is not None and not found.is_open
    assert (found.reason, found.closed_utc[-1]) == ("planned end", "Z")
    assert 0 < redis.pttl(keys.windows("s1")) <= KEEP_MS
    assert 0 < redis.pttl(keys.term("s1")) <= KEEP_MS
    registry.close("s1", "again")
    registry.close("never", "was")
    assert registry.find("s1") == found


def test_closed_sessions_are_drained(redis, registry):
    """A scorer reads on until no window is left, then no more (law 5)."""
    registry.open(entry("s1"))
    publisher = Publisher(redis, "s1", 1)
    publisher.open()
    publisher.publish(make_record(0, session="s1"))
    registry.close("s1", "stop")
    assert registry.to_drain() == ["s1"]
    redis.xtrim(keys.windows("s1"), 0)
    assert registry.to_drain() == registry.to_drain() == []
    registry.open(entry("s1"))
    assert registry.to_drain() == ["s1"]


def test_old_entries_are_forgotten(redis, registry):
    """A day after its close a session leaves the lists; younger ones and beds in use stay."""
    for session, bed in (("s1", "b1"), ("s2", "b2"), ("s3", "b2")):
        registry.open(entry(session, bed))
        registry.close(session, "stop")
    for session in ("s1", "s2"):
        old = registry.find(session)
        redis.hset(keys.SESSIONS, session, replace(old, closed_ms=old.closed_ms - KEEP_MS - 1000).encode())
    registry.open(entry("s4", "b4"))
    assert [e.session for e in registry.entries()] == ["s3", "s4"]
    assert sorted(registry.beds()) == ["b2", "b4"]
    assert redis.hexists(keys.BEDS, "b1") is False
