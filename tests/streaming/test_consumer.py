"""Windows read by the scorers; none is forgotten when a scorer dies (law 5)."""

from __future__ import annotations

import threading

import pytest
from redis.exceptions import ResponseError

from streaming import keys
from streaming.committer import Committer
from streaming.connection import connect
from streaming.consumer import Consumer
from streaming.deadletter import dead_letters
from streaming.errors import TransportDown
from streaming.publisher import Publisher
from streaming.results import ResultReader

from .makers import fates, make_record, make_result


class Now:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def now():
    """Return the scorers' clock."""
    return Now()


@pytest.fixture
def scorer(blocking, session, now):
    """Return a maker of scorers that read the session, and take over at once."""

    def make(name="a", sessions=(session,), **more):
        more = {"min_idle_s": 0.0, "clock": now, "wait": lambda s: None, **more}
        return Consumer(blocking, name, lambda: list(sessions), **more)

    return make


def indices(deliveries):
    """Return which windows came, and how often they were handed over."""
    return [(d.index, d.deliveries) for d in deliveries]


def test_windows_come_in_order_and_whole(publisher, scorer):
    """What was published is read, oldest first, as it was (law 1)."""
    for index in range(3):
        publisher.publish(make_record(index))
    deliveries = scorer(count=2).read(0)
    assert indices(deliveries) == [(0, 1), (1, 1)]
    assert deliveries[1].record.window.x_uv.tobytes() == make_record(1).window.x_uv.tobytes()


def test_sessions_are_read_side_by_side(redis, scorer):
    """The count holds per session: one flooded bed cannot keep another waiting."""
    for session in ("s1", "s2"):
        publisher = Publisher(redis, session, 1)
        publisher.open()
        for index in range(3):
            publisher.publish(make_record(index, session=session))
    deliveries = scorer(sessions=("s1", "s2"), count=1).read(0)
    assert [(d.session, d.index) for d in deliveries] == [("s1", 0), ("s2", 0)]


def test_a_session_is_found_when_its_bridge_comes(redis, session, scorer, now):
    """A session without a stream is looked at again; its stream is the bridge's to make."""
    consumer = scorer()
    assert consumer.read(0) == []
    assert redis.exists(keys.windows(session)) == 0
    publisher = Publisher(redis, session, 1)
    publisher.open()
    publisher.publish(make_record(0))
    now.s = 1.0
    assert indices(consumer.read(0)) == [(0, 1)]


def test_a_window_that_a_scorer_held_too_long_is_taken_over(publisher, scorer):
    """A scorer that died leaves its windows to the next, which is their second delivery (law 5)."""
    publisher.publish(make_record(0))
    assert indices(scorer("dead").read(0)) == [(0, 1)]
    assert indices(scorer("heir").read(0)) == [(0, 2)]


def test_a_window_in_good_hands_is_left_there(publisher, scorer):
    """Before its time nobody takes a window from a scorer that works."""
    publisher.publish(make_record(0))
    scorer("slow").read(0)
    assert scorer("eager", min_idle_s=60.0).read(0) == []


def test_holding_renews_the_time(redis, session, publisher, scorer):
    """A long batch is told to the group, and is no further delivery."""
    publisher.publish(make_record(0))
    slow = scorer("slow")
    deliveries = slow.read(0)
    redis.xclaim(keys.windows(session), keys.GROUP, "slow", 0, ["1-0"], idle=60_000, justid=True)
    slow.hold(deliveries)
    assert scorer("eager", min_idle_s=30.0).read(0) == []
    (row,) = redis.xpending_range(keys.windows(session), keys.GROUP, min="-", max="+", count=9)
    assert (row["times_delivered"], row["consumer"]) == (1, b"slow")


def test_a_poison_window_is_given_up_after_three_deliveries(redis, session, publisher, scorer):
    """A window that kills its scorers becomes a dead letter with a result; its neighbour is scored (law 5)."""
    publisher.publish(make_record(0))
    publisher.publish(make_record(1))
    for name, expected in (("a", 1), ("b", 2), ("c", 3)):
        assert indices(scorer(name, count=1).read(0)) == [(0, expected)]
    assert indices(scorer("d", count=1).read(0)) == [(1, 1)]
    (letter,) = dead_letters(redis, session)
    assert (letter.entry_id, letter.reason, letter.deliveries) == ("1-0", "no result after 3 deliveries", 3)
    (result,) = ResultReader(redis, session).read()
    assert (result.index, result.state, result.first_sample) == (0, "dead_lettered", 4000)


def test_a_name_that_was_used_before_finds_its_windows_and_counts_them(publisher, scorer, redis, session):
    """A scorer that dies and comes back under its name cannot be killed by one window for ever (law 5)."""
    publisher.publish(make_record(0))
    for expected in (1, 2, 3):
        assert indices(scorer("same", min_idle_s=60.0).read(0)) == [(0, expected)]
    assert scorer("same", min_idle_s=60.0).read(0) == []
    assert fates(redis, session) == {"dead_lettered": 1}


def test_a_broken_connection_is_no_delivery(publisher, scorer, blocking, monkeypatch):
    """What a lost reply had assigned to us comes first afterwards, as often as that happens, uncounted (law 5)."""
    publisher.publish(make_record(0))
    consumer = scorer(min_idle_s=60.0)
    read = blocking.xreadgroup

    def lose(*args, **more):
        read(*args, **more)
        raise TransportDown("the reply was lost")

    monkeypatch.setattr(blocking, "xreadgroup", lose)
    for _ in range(2):
        with pytest.raises(TransportDown):
            consumer.read(0)
        assert indices(consumer.read(0)) == [(0, 1)]


def test_what_cannot_be_read_is_buried_at_once(redis, session, publisher, scorer):
    """An entry that is no window of this version gets its result, and its bytes are kept (laws 5 and 10)."""
    redis.xadd(keys.windows(session), {"v": "2"}, id="1-0")
    publisher.publish(make_record(1))
    assert indices(scorer().read(0)) == [(1, 1)]
    (letter,) = dead_letters(redis, session)
    assert "schema b'2'; expected b'1'" in letter.reason
    assert letter.fields == {b"v": b"2"}
    (result,) = ResultReader(redis, session).read()
    assert (result.index, result.first_sample, result.reason) == (0, -1, letter.reason)


def test_an_unreadable_window_that_was_given_up_is_buried_once(redis, session, publisher, scorer):
    """Whoever gives up an unreadable window, it has one result and one letter."""
    redis.xadd(keys.windows(session), {"v": "2"}, id="1-0")
    redis.xreadgroup(keys.GROUP, "dead", {keys.windows(session): ">"})
    redis.xclaim(keys.windows(session), keys.GROUP, "dead", 0, ["1-0"], retrycount=3, idle=10)
    assert scorer().read(0) == []
    assert len(dead_letters(redis, session)) == len(ResultReader(redis, session).read()) == 1


def test_an_entry_under_a_wrong_id_is_buried(redis, session, publisher, scorer):
    """An ID that names another window than the entry holds is not believed (law 5)."""
    redis.xadd(keys.windows(session), make_record(3).encode(), id="1-4")
    assert scorer().read(0) == []
    assert "holds window 1-3" in dead_letters(redis, session)[0].reason


@pytest.mark.parametrize("deliveries", [1, 3])
def test_a_window_deleted_behind_our_back_is_forgotten(redis, session, publisher, scorer, deliveries):
    """What is pending but gone can neither be scored nor given up."""
    publisher.publish(make_record(0))
    scorer("dead").read(0)
    redis.xclaim(keys.windows(session), keys.GROUP, "dead", 0, ["1-0"], retrycount=deliveries)
    redis.xdel(keys.windows(session), "1-0")
    assert scorer("heir").read(0) == []
    assert redis.xpending(keys.windows(session), keys.GROUP)["pending"] == 0
    assert ResultReader(redis, session).read() == []


def test_a_server_that_is_wiped_while_a_scorer_waits_ends_nobody(redis, session, publisher, scorer):
    """Redis lets go of who waits at a stream that is gone, with an error; the scorer reads on (law 5)."""
    consumer = scorer()
    consumer.read(0)
    wipe = threading.Timer(0.3, redis.flushall)
    wipe.start()
    assert consumer.read(1.0) == []
    wipe.join()
    successor = Publisher(redis, session, 2)
    successor.open()
    successor.publish(make_record(0, term=2))
    assert indices(consumer.read(0)) == [(0, 1)]


def test_a_wiped_server_is_read_again_from_the_start(redis, session, publisher, scorer):
    """When a group is gone it is waited for, and what came meanwhile is read too (law 5)."""
    consumer = scorer()
    publisher.publish(make_record(0))
    consumer.read(0)
    redis.flushall()
    assert consumer.read(0) == []
    successor = Publisher(redis, session, 2)
    successor.open()
    successor.publish(make_record(0, term=2))
    assert indices(consumer.read(0)) == [(0, 1)]


@pytest.mark.parametrize("min_idle_s", [0.0, 60.0], ids=["while reclaiming", "while reading"])
def test_a_lost_group_is_made_again_from_the_start(redis, session, publisher, scorer, min_idle_s):
    """Without its group the stream is read from 0, never from its end (law 5)."""
    consumer = scorer(min_idle_s=min_idle_s)
    consumer.read(0)
    publisher.publish(make_record(0))
    redis.xgroup_destroy(keys.windows(session), keys.GROUP)
    assert consumer.read(0) == []
    assert indices(consumer.read(0)) == [(0, 1)]


def test_blocking_waits_for_a_window(publisher, scorer, server):
    """A read that blocks returns as soon as a window comes."""
    consumer = scorer()
    consumer.read(0)
    with connect(server.url, "other") as other:
        late = Publisher(other, publisher._session, 1)
        late.open()
        thread = threading.Thread(target=late.publish, args=[make_record(0)])
        thread.start()
        found = consumer.read(1.0) or consumer.read(1.0)
        thread.join()
    assert indices(found) == [(0, 1)]


def test_without_a_session_it_waits(scorer):
    """A scorer with nothing to do does not spin."""
    waited = []
    assert scorer(sessions=(), wait=waited.append).read(5.0) == []
    assert waited == [1.0]


def test_a_committed_window_does_not_come_again(redis, publisher, scorer):
    """After the commit neither this nor another scorer sees the window."""
    publisher.publish(make_record(0))
    (delivery,) = scorer().read(0)
    assert Committer(redis).commit(delivery, make_result(0)) is True
    assert scorer().read(0) == scorer("other").read(0) == []


@pytest.mark.parametrize("when", ["joining", "reclaiming", "reading"])
def test_a_stream_that_is_none_is_not_passed_over(redis, session, publisher, scorer, when):
    """Only a missing group is mended; anything else that is wrong with a key is told."""
    consumer = scorer(min_idle_s=60.0 if when == "reading" else 0.0)
    if when != "joining":
        consumer.read(0)
    redis.set(keys.windows(session), "text")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        consumer.read(0)


def test_two_scorers_may_make_the_group_at_once(publisher, scorer, blocking, monkeypatch):
    """Whoever comes second finds it made."""
    publisher.publish(make_record(0))
    monkeypatch.setattr(blocking, "xinfo_groups", lambda key: [])
    assert indices(scorer().read(0)) == [(0, 1)]
