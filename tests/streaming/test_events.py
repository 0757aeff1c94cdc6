"""What the screen must not miss, in order, also across a wiped server (law 7)."""

from __future__ import annotations

import pytest

from streaming import keys
from streaming.committer import Committer
from streaming.errors import RecordError
from streaming.events import Event, EventLog
from streaming.results import ResultReader
from streaming.tail import START, Tail, parts

from .makers import make_delivery, make_result


def test_events_come_back_in_order(redis, session):
    """Each reader has its own cursor, and may begin anywhere."""
    log = EventLog(redis, session)
    ids = [log.append("notice", {"text": text, "level": 1.5}) for text in "abc"]
    assert [event.data["text"] for event in log.read()] == ["a", "b", "c"]
    assert log.read() == []
    later = EventLog(redis, session, after=ids[0])
    assert later.read() == [
        Event(ids[1], session, "notice", {"text": "b", "level": 1.5}),
        Event(ids[2], session, "notice", {"text": "c", "level": 1.5}),
    ]


def test_an_event_that_is_none_is_refused(redis, session):
    """Unknown types, and data that JSON cannot hold, are mistakes of the sender (law 10)."""
    log = EventLog(redis, session)
    with pytest.raises(RecordError, match="no event 'news'; expected one of session, source"):
        log.append("news", {})
    with pytest.raises(RecordError, match="data that JSON cannot hold"):
        log.append("notice", {"x": float("nan")})
    with pytest.raises(RecordError, match="data that JSON cannot hold"):
        log.append("notice", {"x": object()})
    redis.xadd(keys.events(session), {"type": "notice", "data": "{"})
    with pytest.raises(RecordError, match="is no event"):
        log.read()


def test_results_come_in_the_order_of_their_commits(redis, session, publisher):
    """Also when it is not the order of the windows."""
    reader = ResultReader(redis, session)
    for index in (2, 0):
        Committer(redis).commit(make_delivery(index), make_result(index))
    assert [r.index for r in reader.read()] == [2, 0]
    Committer(redis).commit(make_delivery(1), make_result(1))
    assert ResultReader(redis, session, after=reader.after).read() == [make_result(1)]


def test_a_reader_starts_over_when_the_stream_was_set_back(redis):
    """A cursor beyond the stream's end would wait for ever (law 7)."""
    now = [0.0]
    tail = Tail(redis, "stream", clock=lambda: now[0])
    redis.xadd("stream", {"n": "1"}, id="9-0")
    assert len(tail.read()) == 1
    assert tail.read() == []
    redis.delete("stream")
    redis.xadd("stream", {"n": "2"}, id="5-0")
    assert tail.read() == []
    now[0] = 1.0
    assert tail.read() == []
    assert tail.read() == [("5-0", {b"n": b"2"})]
    redis.delete("stream")
    now[0] = 2.0
    tail.read()
    assert tail.after == START


def test_a_read_is_bounded_and_can_begin_at_the_end(redis):
    """A long stream is read in portions; what was there before can be passed over."""
    for n in range(1, 6):
        redis.xadd("stream", {"n": n}, id=f"{n}-0")
    tail = Tail(redis, "stream", count=2)
    assert [entry_id for entry_id, _ in tail.read() + tail.read()] == ["1-0", "2-0", "3-0", "4-0"]
    tail.seek_end()
    assert (tail.after, tail.read()) == ("5-0", [])


def test_ids_compare_as_numbers():
    """Entry IDs are two numbers, not text."""
    assert parts("10-0") > parts("9-99") > parts("9-9")
    assert parts("7") == (7, 0)
