"""A window is published once, by the owner of the term, to a server that remembers (laws 2 and 5)."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError

from acquisition.errors import SequenceError
from streaming import keys
from streaming.committer import Committer
from streaming.errors import Fenced, Full, Refused
from streaming.publisher import Publisher
from streaming.results import ResultReader

from .makers import make_delivery, make_record, make_result


def entry_ids(redis, session):
    """Return the IDs of the waiting windows."""
    return [entry_id.decode() for entry_id, _ in redis.xrange(keys.windows(session))]


def test_publishing_a_window_twice_leaves_one_entry(redis, session, publisher):
    """A retried publish is harmless: the entry ID is term and index (law 5)."""
    assert publisher.publish(make_record(0)) is True
    assert publisher.publish(make_record(0)) is False
    assert publisher.publish(make_record(7)) is True
    assert publisher.publish(make_record(7)) is False
    assert entry_ids(redis, session) == ["1-0", "1-7"]


def test_a_window_with_a_result_is_not_published_again(redis, session, publisher):
    """A resend after the commit finds the result and adds nothing (law 5)."""
    publisher.publish(make_record(0))
    Committer(redis).commit(make_delivery(0), make_result(0))
    assert publisher.publish(make_record(0)) is False
    assert entry_ids(redis, session) == []


def test_a_window_that_vanished_is_not_taken_for_published(redis, session, publisher):
    """An ID that the stream has passed is no proof: without entry and result the window is refused (law 5)."""
    publisher.publish(make_record(0))
    publisher.publish(make_record(1))
    redis.xdel(keys.windows(session), "1-0")
    with pytest.raises(Refused, match="a later window of this term was published before it"):
        publisher.publish(make_record(0))


def test_a_wiped_server_refuses_the_next_window(redis, session, publisher):
    """Nothing is published into a server that forgot the rest (law 2)."""
    publisher.publish(make_record(0))
    redis.flushall()
    with pytest.raises(Refused, match="holds no term"):
        publisher.publish(make_record(1))
    with pytest.raises(Refused, match="Take a new term"):
        publisher.check()


def test_an_older_state_refuses_the_next_window(redis, session):
    """A server that was set back to an earlier term refuses (law 2)."""
    publisher = Publisher(redis, session, 3)
    publisher.open()
    redis.set(keys.term(session), 2)
    with pytest.raises(Refused, match="holds the older term 2"):
        publisher.publish(make_record(0, term=3))


def test_a_restarted_server_refuses_the_next_window(redis, session, publisher):
    """Another run_id under the same term may lack the last second: it is refused (law 2)."""
    publisher._run_id = b"0" * 40
    with pytest.raises(Refused, match="started anew"):
        publisher.publish(make_record(0))


def test_a_zombie_is_fenced(redis, session, publisher):
    """Once a successor has opened, the old bridge can add nothing (law 5)."""
    publisher.publish(make_record(0))
    Publisher(redis, session, 2).open()
    with pytest.raises(Fenced, match="another bridge has term 2") as caught:
        publisher.publish(make_record(1))
    assert caught.value.term == 2
    with pytest.raises(Fenced, match="Stop this bridge"):
        publisher.check()
    with pytest.raises(Fenced):
        publisher.open()
    assert entry_ids(redis, session) == ["1-0"]


def test_a_full_stream_makes_the_publisher_wait(redis, session):
    """Back-pressure names how many wait; a resend of one that is there still succeeds."""
    publisher = Publisher(redis, session, 1, max_waiting=2)
    publisher.open()
    publisher.publish(make_record(0))
    publisher.publish(make_record(1))
    with pytest.raises(Full, match="2 windows of session .* wait for a scorer; at most 2") as caught:
        publisher.publish(make_record(2))
    assert caught.value.waiting == 2
    assert publisher.publish(make_record(1)) is False
    Committer(redis).commit(make_delivery(0), make_result(0))
    assert publisher.publish(make_record(2)) is True


def test_open_puts_back_what_the_server_lacks(redis, session, publisher):
    """Results of the folder are restored once each; those that Redis has stay as they are (laws 2 and 5)."""
    Committer(redis).commit(make_delivery(0), make_result(0))
    done = Publisher(redis, session, 2).open([make_result(0, logit=9.0), make_result(1), make_result(3)])
    assert done == {0: "scored", 1: "scored", 3: "scored"}
    assert [(r.index, r.logit) for r in ResultReader(redis, session).read()] == [(0, 0.25), (1, 0.25), (3, 0.25)]
    assert Publisher(redis, session, 3).open([make_result(1)]) == done


def test_open_keeps_a_session_from_expiring(redis, session, publisher):
    """A session that is taken up again within its day lives on."""
    Committer(redis).commit(make_delivery(0), make_result(0))
    publisher.publish(make_record(1))
    for key in keys.stored(session):
        redis.expire(key, 1000)
    Publisher(redis, session, 2).open()
    assert {redis.ttl(key) for key in keys.stored(session)} <= {-1, -2}


def test_misuse_is_named(redis, session):
    """A term below 1, a window before the term is open, and another term's window are mistakes of the caller."""
    with pytest.raises(SequenceError, match="term of session .* is 0; expected 1 or more"):
        Publisher(redis, session, 0)
    with pytest.raises(SequenceError, match="is not open"):
        Publisher(redis, session, 1).publish(make_record(0))
    with pytest.raises(SequenceError, match="term 1, came to the publisher of session .*, term 2"):
        Publisher(redis, session, 2).publish(make_record(0, term=1))


def test_keys_that_are_something_else_are_told(redis, session, publisher):
    """What a script cannot mend is raised as the server says it."""
    redis.set(keys.windows(session), "text")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        publisher.publish(make_record(0))
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        Publisher(redis, session, 2).open()
