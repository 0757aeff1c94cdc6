"""Exactly one result per window, also at maxmemory (law 5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.exceptions import ResponseError

from acquisition.errors import SequenceError
from streaming import keys
from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.deadletter import bury, bury_unread, dead_letters
from streaming.errors import Full
from streaming.events import EventLog
from streaming.lease import Lease
from streaming.publisher import Publisher
from streaming.records import WindowRecord
from streaming.results import ResultReader
from streaming.sessions import Registry, SessionEntry

from .makers import fates, fill, make_delivery, make_record, make_result


def results(redis, session):
    """Return every result."""
    return ResultReader(redis, session).read()


def test_committing_twice_leaves_the_first_result(redis, session, publisher):
    """A repeated commit, and one of a zombie, change nothing (law 5)."""
    publisher.publish(make_record(0))
    committer = Committer(redis)
    assert committer.commit(make_delivery(0), make_result(0)) is True
    assert committer.commit(make_delivery(0), make_result(0)) is False
    assert committer.commit(make_delivery(0), make_result(0, logit=9.0)) is False
    assert [r.logit for r in results(redis, session)] == [0.25]
    assert redis.xlen(keys.windows(session)) == 0
    assert fates(redis, session) == {"scored": 1}


def test_a_window_of_two_terms_has_one_result(redis, session, publisher):
    """A window that a successor published again counts once (law 5)."""
    publisher.publish(make_record(0))
    successor = Publisher(redis, session, 2)
    successor.open()
    successor.publish(make_record(0, term=2))
    committer = Committer(redis)
    assert committer.commit(make_delivery(0, term=2), make_result(0)) is True
    assert committer.commit(make_delivery(0, term=1), make_result(0)) is False
    assert redis.xlen(keys.windows(session)) == 0
    assert len(results(redis, session)) == 1


def test_a_result_must_be_the_windows_own(redis, publisher):
    """Neither another window's nor another session's result is taken."""
    with pytest.raises(SequenceError, match="window 1 of session .* came with the delivery of window 0"):
        Committer(redis).commit(make_delivery(0), make_result(1))
    with pytest.raises(SequenceError):
        Committer(redis).commit(make_delivery(0), replace(make_result(0), session="other"))


def test_a_dead_letter_keeps_the_bytes(redis, session, publisher):
    """The window itself is kept as it was published, and its result says why (law 5)."""
    publisher.publish(make_record(0))
    assert bury(redis, make_delivery(0), "engine died") is True
    (letter,) = dead_letters(redis, session)
    assert WindowRecord.decode(letter.fields).window.x_uv.tobytes() == make_record(0).window.x_uv.tobytes()
    assert (letter.reason, letter.deliveries, letter.entry_id) == ("engine died", 1, "1-0")
    (result,) = results(redis, session)
    assert (result.state, result.reason, result.phases) == (
        "dead_lettered",
        "engine died",
        (("rest", 0, 40), ("flexion", 40, 60)),
    )
    assert publisher.publish(make_record(0)) is False


def test_a_window_is_buried_once(redis, session, publisher):
    """Twice given up, given up after a commit, given up when gone: no second result, no letter without a window."""
    for index in range(2):
        publisher.publish(make_record(index))
    assert bury(redis, make_delivery(0), "a") is True
    assert bury(redis, make_delivery(0), "b") is False
    Committer(redis).commit(make_delivery(1), make_result(1))
    redis.xadd(keys.windows(session), make_record(1, term=2).encode(), id="2-1")
    assert bury(redis, make_delivery(1, term=2), "c") is False
    assert bury_unread(redis, session, "2-5", "d", 1) is False
    assert [r.index for r in results(redis, session)] == [0, 1]
    assert len(dead_letters(redis, session)) == 1


def test_a_full_server_drains_itself(redis, session, publisher, server):
    """At maxmemory publishing waits, while commits, dead letters, leases, events and terms go on (law 5)."""
    for index in range(3):
        publisher.publish(make_record(index))
    fill(redis)
    with pytest.raises(Full, match="out of memory") as caught:
        publisher.publish(make_record(3))
    assert caught.value.waiting is None
    with connect(server.url, "scorer", blocking=True) as client:
        consumer = Consumer(client, "new", lambda: [session], min_idle_s=0.0)
        first, second, third = consumer.read(0)
        assert Committer(redis).commit(first, make_result(0)) is True
        assert bury(redis, second, "poison") is True
        (again,) = consumer.read(0)[:1] or [third]
        assert Committer(redis).commit(again, make_result(again.index)) is True
    lease = Lease(redis, "bed", "amp", session)
    assert lease.acquire(1) == 2
    assert lease.renew() is True
    lease.release()
    EventLog(redis, session).append("notice", {"text": "full"})
    Registry(redis).open(SessionEntry(session, "bed", "P1", "live", "2026-11-22T00:00:00Z"))
    Registry(redis).close(session, "stop")
    successor = Publisher(redis, session, 2)
    assert successor.open([make_result(7)]) == {0: "scored", 1: "dead_lettered", again.index: "scored", 7: "scored"}
    redis.config_set("maxmemory", 1 << 30)
    assert successor.publish(make_record(8, term=2)) is True


def test_what_comes_after_the_close_expires_with_the_session(redis, session, publisher):
    """A late commit leaves no key behind for ever."""
    publisher.publish(make_record(0))
    publisher.publish(make_record(1))
    for key in keys.stored(session):
        redis.pexpire(key, 5000)
    Committer(redis).commit(make_delivery(0), make_result(0))
    bury(redis, make_delivery(1), "late")
    EventLog(redis, session).append("notice", {})
    assert all(0 < redis.pttl(key) <= 5000 for key in (keys.results(session), keys.done(session), keys.dead(session)))
    assert 0 < redis.pttl(keys.events(session)) <= 5000


def test_a_commit_to_a_wiped_server_expires(redis, session):
    """A zombie's result on a server that no longer knows the session is kept for a day, not for ever."""
    assert Committer(redis).commit(make_delivery(0), make_result(0)) is True
    redis.xadd(keys.windows(session), make_record(1).encode(), id="1-1")
    assert bury(redis, make_delivery(1), "late") is True
    EventLog(redis, session).append("notice", {})
    day_ms = 24 * 3600 * 1000
    stored = (keys.results(session), keys.done(session), keys.dead(session), keys.events(session))
    assert all(day_ms - 60_000 < redis.pttl(key) <= day_ms for key in stored)
    successor = Publisher(redis, session, 1)
    assert successor.open() == {0: "scored", 1: "dead_lettered"}
    assert {redis.ttl(key) for key in stored} == {-1}


def test_a_script_that_stores_before_it_deletes_is_refused_when_full(redis, session, publisher):
    """Why the commit deletes first: the obvious order would lock a full server for ever (law 5)."""
    publisher.publish(make_record(0))
    fill(redis)
    stored = [keys.done(session), keys.windows(session)]
    obvious = "redis.call('HSETNX', KEYS[1], 0, 'scored'); return redis.call('XDEL', KEYS[2], '1-0')"
    with pytest.raises(ResponseError, match="OOM|out of memory|maxmemory"):
        redis.eval(obvious, 2, *stored)
    assert Committer(redis).commit(make_delivery(0), make_result(0)) is True
