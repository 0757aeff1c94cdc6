"""Ear: what the supervisor hears, with a real Redis that goes and comes."""

from __future__ import annotations

import os
import threading
from contextlib import closing
from dataclasses import replace

import pytest

from deploy.ear import RETRY_S, Ear
from streaming import keys
from streaming.connection import connect
from streaming.control import Command, Control
from streaming.errors import TransportDown
from streaming.heartbeat import INTERVAL_S, Beat, Heartbeat
from streaming.subscription import Subscription

#: Looks until a message that was sent must have come.
LOOKS = 200


@pytest.fixture
def ear(redis_url, clock):
    """Return an ear that listens."""
    ear = Ear(connect(redis_url, "supervisor"), clock.monotonic_s)
    ear.listen()
    yield ear
    ear.close()


def listen_until(ear, condition):
    """Listen until something came; return all that came."""
    event = threading.Event()
    pids, commands = [], []
    for _ in range(LOOKS):
        heard = ear.listen()
        pids += [beat.pid for beat in heard.beats]
        commands += heard.commands
        if condition(pids, commands):
            return pids, commands
        event.wait(0.02)
    raise AssertionError(f"heard {pids} and {commands}")


def test_heartbeats_of_this_machine_are_heard(ear, redis_url):
    """A heartbeat is its process; those of other machines are somebody else's."""
    redis = connect(redis_url, "child")
    Heartbeat(redis, "scorer", "scorer-1").beat()
    here = Beat("scorer", "scorer-2", None, os.uname().nodename, 4242, 0.0, 0, {})
    redis.publish(keys.HEARTBEATS, replace(here, host="elsewhere", pid=1).encode())
    redis.publish(keys.HEARTBEATS, b"not a heartbeat")
    redis.publish(keys.HEARTBEATS, here.encode())
    pids, _ = listen_until(ear, lambda pids, _: 4242 in pids)
    assert pids == [os.getpid(), 4242]


def test_its_own_sign_of_life_tells_what_is_answered(redis_url, clock):
    """Once a second, to everybody but itself; without Redis there is none."""
    other = connect(redis_url, "other")
    with closing(Subscription(other, [keys.HEARTBEATS])) as beats:
        ear = Ear(connect(redis_url, "supervisor"), clock.monotonic_s, ("start", "serve"))
        for _ in range(4):
            assert ear.listen().beats == ()
            clock.sleep(INTERVAL_S / 2)
        told = [Beat.decode(beats.get(5.0).data) for _ in range(2)]
        assert beats.get(0.0) is None
        ear.close()
    assert [(beat.role, beat.n, beat.info) for beat in told] == [
        ("supervisor", n, {"answers": ["start", "serve"]}) for n in range(2)
    ]


def test_commands_are_heard_and_answered(ear, redis_url):
    """A sender gets the answer to its own command."""
    replies = []
    control = Control(connect(redis_url, "cli", blocking=True))
    sender = threading.Thread(target=lambda: replies.append(control.send("streams", {}, "me")))
    sender.start()
    _, (command,) = listen_until(ear, lambda _, commands: len(commands) == 1)
    ear.answer(command, {"streams": []})
    sender.join()
    assert (command.name, command.author) == ("streams", "me")
    assert replies[0].ok
    assert replies[0].data == {"streams": []}


def test_an_answer_that_redis_does_not_take_ends_nobody(ear, monkeypatch):
    """Redis went away while the network was looked at: the sessions that run are not the price of an answer."""

    def away(*_):
        raise TransportDown("Redis is out of reach.", subject="redis")

    monkeypatch.setattr("streaming.control._APPEND", away)
    command = Command("1", "streams", {}, "me")
    ear.answer(command, {"streams": []})
    ear.refuse(command, {"message": "no"})


def test_a_redis_that_is_away_makes_deaf(clock, tmp_path):
    """Nothing heard is told apart from nothing said, and listening is tried again only after a while."""
    ear = Ear(connect(f"unix://{tmp_path}/redis.sock", "supervisor"), clock.monotonic_s)
    assert ear.listen().deaf
    clock.sleep(RETRY_S / 2)
    assert ear.listen().deaf
    clock.sleep(RETRY_S)
    assert ear.listen().deaf
    ear.answer(None, {})
    ear.refuse(None, {})


def test_a_sign_of_life_that_fails_costs_no_command(ear, redis_url, clock, monkeypatch):
    """What was read is carried out, whether or not Redis takes the next word."""

    def away(*_):
        raise TransportDown("Redis is out of reach.", subject="redis")

    monkeypatch.setattr(ear._heartbeat, "beat", away)
    clock.sleep(INTERVAL_S)
    control = Control(connect(redis_url, "cli", blocking=True))
    sender = threading.Thread(target=lambda: control.send("streams", {}, "me"))
    sender.start()
    _, (command,) = listen_until(ear, lambda _, commands: len(commands) == 1)
    ear.answer(command, {})
    sender.join()
    assert command.name == "streams"
