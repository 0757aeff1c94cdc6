"""Serving other bundles under load: real scorers, a real Redis, windows all the while."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import structlog
from redis import Redis

from acquisition.clock import LiveClock
from deploy.bench.window_feed import WindowFeed
from deploy.errors import NotServed, WrongUse
from deploy.opening import Models
from deploy.redis_choice import ChosenRedis
from deploy.settings import Settings, changed
from deploy.swap import Wanted
from deploy.ward import Ward
from inference.building import rewritten
from inference.bundle import Bundle
from inference.errors import BundleError
from streaming import keys
from streaming.consumer import Consumer

#: Seconds within which processes on a loaded machine have begun.
SOON_S = 45.0
#: Seconds between two windows of the session that goes on.
EVERY_S = 0.2
#: Commands that Redis keeps in its log: a minute of everything that these tests say to it.
LOGGED = 200_000


@pytest.fixture
def other(models: Models, tmp_path: Path) -> Path:
    """Return the folder of a bundle like the one that serves, of another version."""
    return rewritten(models.eeg_emg, tmp_path / "other", version="2.0.0").path


@pytest.fixture
def ward(settings: Settings, models: Models, redis_url: str) -> Iterator[Ward]:
    """Return a ward with one scorer and an aggregator."""
    clock, log = LiveClock(), structlog.get_logger()
    redis = ChosenRedis(redis_url, None, allow_bundled=True, log=log, monotonic_s=clock.monotonic_s)
    one = changed(settings, {"models.scorers": 1})
    with Ward(one, models, redis, clock=clock, log=log, roles=("scorer", "aggregator")) as ward:
        yield ward


def look_until(ward: Ward, true: Callable[[], bool]) -> None:
    """Look after everything until something is true."""
    deadline_s = time.monotonic() + SOON_S
    ward.run(lambda: true() or time.monotonic() > deadline_s)
    assert true()


def wanted(settings: Settings, folder: Path) -> Wanted:
    """Return what the desk hands to the ward."""
    names = {"models.eeg_emg": str(folder)}
    return Wanted(Models.load(changed(settings, names).models), names)


@pytest.fixture
def handed_again(redis_url: str) -> Iterator[Callable[[str], list[str]]]:
    """Return a function that tells which windows of a session were taken over from a scorer, by Redis' own log.

    Whoever takes one over asks for it by XCLAIM; with JUSTID a scorer only says that it still works on its own.
    """
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        kept = cast(dict[str, str], redis.config_get("slowlog-*"))
        for name, value in (("slowlog-log-slower-than", 0), ("slowlog-max-len", LOGGED)):
            redis.config_set(name, value)
        redis.slowlog_reset()

        def taken_over(session: str) -> list[str]:
            logged = cast(list[dict[str, bytes]], redis.slowlog_get(LOGGED))
            said = [entry["command"].decode(errors="replace").split() for entry in logged]
            assert len(said) < LOGGED, "the log was too short"
            return [
                words[5] for words in said if words[:2] == ["XCLAIM", keys.windows(session)] and "JUSTID" not in words
            ]

        yield taken_over
        for name, value in kept.items():
            redis.config_set(name, value)


def test_a_window_that_is_taken_over_is_counted(
    models: Models, redis_url: str, handed_again: Callable[[str], list[str]]
) -> None:
    """Once for each time; a scorer that holds its own takes nothing over."""
    with WindowFeed(redis_url, models.eeg_emg, 0.01) as feed, Redis.from_url(redis_url) as redis:
        dies, lives = (Consumer(redis, name, lambda: [feed.session], min_idle_s=0.0) for name in ("dies", "lives"))
        while not (left := dies.read()):
            pass
        dies.hold(left)
        assert handed_again(feed.session) == []
        taken = [delivery for delivery in lives.read() if delivery.deliveries == 2]
    assert taken and sorted(handed_again(feed.session)) == sorted(delivery.entry_id for delivery in taken)


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.timeout(240)
def test_another_bundle_begins_to_serve_and_no_window_is_lost_or_left_behind(
    ward: Ward,
    settings: Settings,
    redis_url: str,
    models: Models,
    other: Path,
    handed_again: Callable[[str], list[str]],
) -> None:
    """The session that runs is scored by its own bundle throughout; one that begins afterwards by the new one.

    A scorer that ends leaves no window behind, which another would take over seconds later: each is handed over once.
    """
    look_until(ward, lambda: all(child.heard for child in ward._supervisor.children.values()))
    new = wanted(settings, other)
    with WindowFeed(redis_url, models.eeg_emg, EVERY_S) as running:
        look_until(ward, lambda: len(running.results) > 5)
        begun, answer = running.n, ward.serve(new)
        with pytest.raises(WrongUse, match="Other bundles are being made ready"):
            ward.serve(new)
        look_until(ward, answer.done)
        during = range(begun, running.n)
        with WindowFeed(redis_url, new.models.eeg_emg, EVERY_S) as beginning:
            look_until(ward, lambda: len(beginning.results) > 5)
    assert answer.result()["eeg_emg"]["version"] == "2.0.0" and not answer.result()["fused"]
    assert sorted(result.index for result in running.results) == [*range(running.n)]
    assert {(result.state, result.model) for result in running.results} == {("scored", "tiny 1.0.0")}
    assert {(result.state, result.model) for result in beginning.results} == {("scored", "tiny 2.0.0")}
    assert during and handed_again(running.session) == []


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_bundle_that_fails_its_golden_windows_never_serves(
    ward: Ward, settings: Settings, models: Models, tmp_path: Path
) -> None:
    """The processes that serve stay, sessions go on being bound to what they were, and the words come back."""
    off = rewritten(models.eeg_emg, tmp_path / "off", golden=[{"window": "noise", "seed": 0, "logit": 7.5}]).path
    before = [*ward._supervisor.children.values()]
    answer = ward.serve(wanted(settings, off))
    look_until(ward, answer.done)
    with pytest.raises(NotServed, match=r"is not served: scorer-1\.2 refused it: .*its self-check.*goes on serv"):
        answer.result()
    assert all(child.state.value == "running" for child in before) and ward._models is models


def test_a_bundle_whose_folder_was_overwritten_is_not_left_behind(
    ward: Ward, settings: Settings, models: Models, other: Path, tmp_path: Path
) -> None:
    """New processes could not load what sessions that run are bound to: refused before anything changes."""
    new = wanted(settings, other)
    moved = Path(shutil.move(models.eeg_emg.path, tmp_path / "moved"))
    try:
        rewritten(Bundle.load(moved), models.eeg_emg.path, version="3.0.0")
        with pytest.raises(BundleError, match=r"holds tiny 3\.0\.0 .* by now, but sessions may be bound to"):
            ward.serve(new)
    finally:
        shutil.rmtree(models.eeg_emg.path)
        shutil.move(moved, models.eeg_emg.path)
