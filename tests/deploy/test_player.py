"""Player: when it begins, when it ends, and recordings in several parts as one stream."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from acquisition.montage import load_montage
from acquisition.recording import read_recording
from acquisition.session import SessionFolder
from acquisition.source import played
from deploy.opening import Plan, played_source
from deploy.roles.player import (
    DEAF_S,
    MOST_AHEAD_S,
    Brake,
    Playback,
    SessionWatch,
    Simulation,
    one_after_another,
    run,
    spec_of,
)
from streaming import keys
from streaming.connection import connect
from streaming.events import EventLog
from streaming.heartbeat import Heartbeat

MONTAGE = load_montage("amp16")


@pytest.fixture
def folder(settings, models):
    """Return a session whose stream a player of this machine offers."""
    source, markers_source = played_source("Amp", 16)
    plan = Plan("demo", "simulated", "P1", "B1", MONTAGE, source, markers_source=markers_source)
    return SessionFolder.create(settings.data_dir, plan.to_info(models))


def test_two_parts_are_one_stream(recording):
    """The second part begins one sample after the first, whatever lay between their clocks."""
    part = read_recording(recording, montage=MONTAGE)
    later = replace(part, stamps=part.stamps + 5_000.0)
    pieces = list(one_after_another([part, later]))
    stamps = np.concatenate([piece.stamps_s for piece in pieces])
    assert len(stamps) == 2 * len(part.stamps)
    assert stamps[len(part.stamps)] - stamps[len(part.stamps) - 1] == pytest.approx(0.001)
    assert np.all(np.diff(stamps) > 0)


def test_rounds_are_one_stream(recording):
    """The next round begins one sample after the last; samples and markers come again."""
    part = read_recording(recording, montage=MONTAGE)
    once, twice = (list(one_after_another(played([part], rounds))) for rounds in (1, 2))
    stamps = np.concatenate([piece.stamps_s for piece in twice])
    assert len(twice) == 2 * len(once) and len(stamps) == 2 * len(part.stamps)
    assert np.all(np.diff(stamps) > 0)
    markers = [[text for piece in pieces for _, _, text in piece.markers] for pieces in (once, twice)]
    assert markers[1] == 2 * markers[0]


def test_a_recording_is_offered_as_it_is(recording, folder):
    """Its own channels, units and type; under the name that the session expects."""
    part = read_recording(recording, montage=MONTAGE)
    spec = spec_of(part, MONTAGE, folder.info)
    assert (spec.labels, spec.dtype, spec.units[0], spec.rate_hz) == (part.labels, "float32", "uV", 1000.0)
    assert spec.source_id == folder.info.source["source_id"]
    whole = replace(part, samples=part.samples.astype(np.int64), units=(None,) * 16)
    assert (spec_of(whole, MONTAGE, folder.info).dtype, spec_of(whole, MONTAGE, folder.info).units[0]) == (
        "double64",
        "",
    )


def test_it_begins_when_the_bridge_says_so(folder, redis_url):
    """Not when a consumer exists: when the bridge's source is open."""
    session = folder.info.session
    watch = SessionWatch(redis_url, session, folder)
    log = EventLog(connect(redis_url, "bridge"), session)
    assert not watch.is_open()
    log.append("source", {"state": "CONNECTING", "cause": ""})
    assert not watch.is_open()
    log.append("source", {"state": "SETTLING", "cause": ""})
    assert watch.is_open()
    assert watch.is_open()
    log.append("source", {"state": "LOST", "cause": ""})
    assert not SessionWatch(redis_url, session, folder).is_open(), "those inlets were a dead player's"
    log.append("source", {"state": "STALLED", "cause": ""})
    assert watch.is_open(), "silent, but open"


def test_a_redis_that_is_away_keeps_it_waiting(folder, tmp_path):
    """It comes back; the player stays."""
    assert not SessionWatch(f"unix://{tmp_path}/redis.sock", folder.info.session, folder).is_open()


def test_a_playback_waits_for_a_bridge_that_is_far_behind(redis_url, clock):
    """By what its heartbeats have counted, those of its own session alone."""
    redis = connect(redis_url, "bridge")
    brake = Brake(redis_url, "S1", 1000.0, clock.monotonic_s)
    most = round(MOST_AHEAD_S * 1000)
    assert not brake.holds(most)
    assert brake.holds(most + 1)
    redis.publish(keys.HEARTBEATS, b"another version's")
    Heartbeat(redis, "bridge", "S2", session="S2").beat({"ledger": {"received": 10**9, "rejected": {}}})
    Heartbeat(redis, "scorer", "s", session="S1").beat({})
    counted = {"received": 900, "rejected": {"duplicate": 100, "partner": 10**9}}
    Heartbeat(redis, "bridge", "S1", session="S1").beat({"ledger": counted})
    wait = threading.Event()
    for _ in range(200):
        if not brake.holds(most + 1_000):
            break
        wait.wait(0.02)  # the message is on its way
    assert not brake.holds(most + 1_000)
    assert brake.holds(most + 1_001)


def test_a_bridge_that_is_not_heard_holds_nothing_back(redis_url, tmp_path, clock):
    """Redis is away, or it was and its heartbeats with it: recording goes on all the same."""
    gone = Brake(f"unix://{tmp_path}/redis.sock", "S1", 1000.0, clock.monotonic_s)
    assert not gone.holds(10**9)
    brake = Brake(redis_url, "S1", 1000.0, clock.monotonic_s)
    assert brake.holds(10**9)
    clock.sleep(DEAF_S)
    assert not brake.holds(10**9)


@pytest.mark.parametrize("what", ["simulation", "playback"])
def test_it_ends_with_its_session(folder, redis_url, settings, recording, what):
    """When the end is written down, the stream goes."""
    settings = settings.model_copy(update={"redis_url": redis_url})
    folder.write_ledger({"ended": True})
    stop = threading.Event()
    run(folder.info.session, Simulation(1, 0.0) if what == "simulation" else Playback(recording, 4.0), settings, stop)
    assert not stop.is_set()
