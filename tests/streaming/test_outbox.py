"""The outbox: Redis may freeze, forget or be taken over; windows wait, and whoever is fenced stops."""

from __future__ import annotations

import math
import struct
import threading
import time

import pytest

from streaming import keys
from streaming.connection import connect
from streaming.control import Control
from streaming.errors import Full, NoAnswer, RecordError, TransportDown
from streaming.lease import Holder, Lease
from streaming.outbox import EVERY_S, Outbox
from streaming.publisher import Publisher
from streaming.records import ResultRecord
from streaming.sessions import Registry, SessionEntry
from streaming.waves import WaveFrame

from .bridging import scoring
from .makers import SESSION, make_record, make_result, until

ENTRY = SessionEntry(SESSION, "B1", "P01", "live", "2026-01-01T00:00:00+00:00")


class Memory:
    """A session folder that forgets nothing and writes nothing."""

    def __init__(self) -> None:
        self.terms: list[int] = []
        self.saved: dict[int, ResultRecord] = {}
        self.fails: Exception | None = None

    def save_term(self, term: int) -> None:
        self.terms.append(term)

    def highest_term(self) -> int:
        return max(self.terms, default=0)

    def save_result(self, result: ResultRecord, latency_s: float | None) -> None:
        if self.fails:
            raise self.fails
        self.saved[result.index] = result

    def results(self) -> list[ResultRecord]:
        return list(self.saved.values())


@pytest.fixture
def memory():
    """Return the record behind the outbox."""
    return Memory()


@pytest.fixture
def outbox(redis_url, memory):
    """Return an outbox that has taken its lease and runs."""
    redis = connect(redis_url, "outbox")
    lease = Lease(redis, "B1", "source", SESSION)
    times = {"now_s": time.monotonic, "monotonic_s": time.monotonic}
    opened = Outbox(redis, ENTRY, lease, memory, info=dict, **times)
    opened.take()
    opened.start()
    yield opened
    opened.close()


def test_a_lease_is_kept_while_the_folder_is_read(redis_url, memory, monkeypatch):
    """Reading a long folder takes longer than a lease lives: it is renewed meanwhile, and had anew after a wipe."""
    monkeypatch.setitem(EVERY_S, "renew", 0.02)
    client = connect(redis_url, "test")
    lease = Lease(connect(redis_url, "outbox"), "B1", "source", SESSION, ttl_s=0.3)
    times = {"now_s": time.monotonic, "monotonic_s": time.monotonic}
    outbox = Outbox(connect(redis_url, "outbox"), ENTRY, lease, memory, info=dict, **times)
    outbox.take()
    begun_s = time.monotonic()
    until(lambda: time.monotonic() > begun_s + 1.0)
    assert client.exists(keys.bed_lease("B1"), keys.source_lease("source")) == 2
    client.flushall()
    until(lambda: client.exists(keys.bed_lease("B1"), keys.source_lease("source")) == 2)
    assert memory.terms == [] and not client.exists(keys.SESSIONS), "nothing is sent before the folder is read"
    outbox.start()
    until(lambda: Registry(client).find(SESSION) is not None)
    outbox.close()
    assert memory.terms == [1] and not client.exists(keys.bed_lease("B1"))


def test_windows_without_a_scorer_wait_and_then_get_their_results(outbox, memory, redis_url):
    """Nothing is forgotten while nobody scores; draining waits for all."""
    for index in range(5):
        outbox.post(make_record(index))
    until(lambda: len(outbox.tally.published) == 5)
    assert outbox.waiting == 5 and not outbox.drain(0.05)
    with scoring(redis_url):
        assert outbox.drain(10)
    assert sorted(memory.saved) == [0, 1, 2, 3, 4] and outbox.tally.count("scored") == 5
    outbox.post(make_record(3))
    assert outbox.waiting == 0, "a window that has its result is not sent again"


def test_a_higher_term_fences_this_bridge(outbox, redis_url):
    """Another bridge took over: this one says who, publishes nothing more and gives nothing back (law 5)."""
    client = connect(redis_url, "other")
    Publisher(client, SESSION, 9).open()
    outbox.post(make_record(0))
    until(lambda: outbox.fenced != "")
    assert "term 9" in outbox.fenced
    assert Registry(client).find(SESSION).is_open


def test_a_lease_that_went_elsewhere_fences_it_too(outbox, redis_url, monkeypatch):
    """A lease that another process holds is not fought for."""
    client, turn, between, turned = connect(redis_url, "other"), outbox._turn, threading.Lock(), threading.Event()

    def alone():
        with between:
            turn()
            turned.set()

    monkeypatch.setattr(outbox, "_turn", alone)
    assert turned.wait(10.0)
    elsewhere = Holder(SESSION, "elsewhere", "boot", "pid", 1, "1")
    with between:  # or this bridge puts its term back in between, and is fenced by the higher one
        client.flushall()
        Lease(client, "B1", "source", SESSION, holder=elsewhere).acquire(0)
    until(lambda: outbox.fenced != "")
    assert "elsewhere" in outbox.fenced


def test_a_redis_that_cannot_be_reached_is_named_once_and_waited_for(outbox, redis_url, monkeypatch, memory):
    """While Redis is away its cause is shown; then everything goes on."""
    publish = Publisher.publish
    away = TransportDown("Redis does not answer.", subject=redis_url)

    def unreachable(self, record):
        raise away

    monkeypatch.setattr(Publisher, "publish", unreachable)
    outbox.post(make_record(0))
    until(lambda: outbox.trouble == "Redis does not answer.")
    monkeypatch.setattr(Publisher, "publish", publish)
    until(lambda: outbox.trouble == "" and 0 in outbox.tally.published)


@pytest.mark.parametrize("act", [(Lease, "acquire"), (Publisher, "open")], ids=["granted", "opened"])
def test_a_change_of_term_that_breaks_off_is_begun_again(outbox, redis_url, monkeypatch, memory, act):
    """A reply that is lost half-way into a new term does not make the bridge fence itself (law 5)."""
    owner, name = act
    whole, broken = getattr(owner, name), []

    def break_off(self, *args):
        done = whole(self, *args)
        if not broken:
            broken.append(done)
            raise TransportDown("The reply was lost.", subject=redis_url)
        return done

    outbox.post(make_record(0))
    until(lambda: 0 in outbox.tally.published)
    monkeypatch.setattr(owner, name, break_off)
    connect(redis_url, "other").flushall()
    outbox.post(make_record(1))
    with scoring(redis_url):
        assert outbox.drain(10)
    assert broken and not outbox.fenced and outbox.failure is None
    assert sorted(memory.saved) == [0, 1]


def test_a_full_queue_holds_the_newer_windows_back(outbox, monkeypatch):
    """Back-pressure: what does not fit is published later, in order (law 5)."""
    publish, tries = Publisher.publish, []

    def full_at_first(self, record):
        tries.append(record.window.index)
        if len(tries) <= 2:
            raise Full("64 windows wait.", waiting=64)
        return publish(self, record)

    monkeypatch.setattr(Publisher, "publish", full_at_first)
    outbox.post(make_record(0))
    outbox.post(make_record(1))
    until(lambda: len(outbox.tally.published) == 2)
    assert tries == [0, 0, 0, 1]


def test_a_bridge_whose_windows_wait_is_heard_and_hears(outbox, redis_url, monkeypatch):
    """A queue that stays full stops neither heartbeats nor commands: contact and progress are two things (law 7)."""
    client = connect(redis_url, "test", blocking=True)
    heard = client.pubsub(ignore_subscribe_messages=True)
    heard.subscribe(keys.HEARTBEATS)

    def full(self, record):
        raise Full("64 windows wait.", waiting=64)

    monkeypatch.setattr(Publisher, "publish", full)
    outbox.post(make_record(0))
    until(lambda: outbox.trouble != "")
    while heard.get_message(timeout=0):
        pass
    until(lambda: heard.get_message(timeout=0.1) is not None)
    with pytest.raises(NoAnswer):
        Control(client).send("stop", {"session": SESSION}, "test", 1.0)
    assert [command.name for command in outbox.commands] == ["stop"]


def test_what_its_thread_dies_of_is_kept_for_the_bridge(outbox, memory, redis_url):
    """A fault on the thread is never silent: the bridge raises it."""
    memory.fails = RecordError("The folder is gone.", subject="folder")
    with scoring(redis_url):
        outbox.post(make_record(0))
        until(lambda: outbox.failure is not None)
    assert outbox.failure is memory.fails


def test_events_are_told_again_to_a_redis_that_forgot(outbox, memory, redis_url):
    """After a wipe the session is back in the registry, with its events and results (law 2)."""
    client = connect(redis_url, "test")
    memory.saved[0] = make_result(0)
    outbox.tell("session", {"patient": "P01"})
    until(lambda: client.xlen(f"flexion:{{{SESSION}}}:events") == 1)
    client.flushall()
    until(
        lambda: client.xlen(f"flexion:{{{SESSION}}}:events") == 1 and client.xlen(f"flexion:{{{SESSION}}}:results") == 1
    )
    assert Registry(client).find(SESSION).is_open and memory.terms == [1, 2]


def test_frames_go_to_whoever_listens(outbox, redis_url):
    """Waves are published as they come and never stored."""
    client = connect(redis_url, "test")
    heard = client.pubsub(ignore_subscribe_messages=True)
    heard.subscribe(f"flexion:{{{SESSION}}}:wave")
    heard.get_message(timeout=1)
    frame = WaveFrame.from_uv(make_record().window.x_uv[:20], segment=0, first_sample=0, stamp_s=1.0)
    outbox.show(frame)
    message = None
    while message is None:
        message = heard.get_message(timeout=1)
    assert WaveFrame.decode(message["data"]).encode() == frame.encode()
    assert math.isfinite(struct.unpack_from("<d", message["data"], 28)[0]), "when it was sent is not told"
