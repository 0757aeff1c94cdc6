"""Scorers: their heartbeats become series that grow over restarts, without a name in them."""

from __future__ import annotations

import time
from typing import Any

import httpx
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from dashboard.scorers import FORGET_S, SILENT_S, Scorers
from inference.stages import Histograms
from streaming.heartbeat import Beat, Heartbeat
from tests.dashboard.conftest import SOON_S, Teller

ENGINE = {"backend": "onnxruntime-cpu", "device": "cpu", "precision": "fp32", "degraded": False, "version": "1"}


def info(scored: int, *, fallback: int = 0, degraded: bool = False, **canary: int) -> dict[str, Any]:
    """Return what a scorer says that has scored so many windows, 30 ms of computing each."""
    histograms = Histograms()
    for _ in range(scored):
        histograms.add({"compute": 0.03})
    windows = {"scored": scored, "not_scored": 1}
    engine = ENGINE | {"degraded": degraded}
    return {
        "windows": windows,
        "engine": engine,
        "fallback": fallback,
        "stages": histograms.to_json(),
        "canary": canary,
    }


def beat(pid: int, said: dict[str, Any], name: str = "scorer-1") -> Beat:
    """Return a scorer's heartbeat."""
    return Beat("scorer", name, None, "host", pid, 0.0, 0, said)


def series(scorers: Scorers) -> dict[tuple[str, ...], float]:
    """Return every sample as Prometheus reads it, by its name and the values of its labels in the order of theirs."""
    registry = CollectorRegistry()
    registry.register(scorers)
    text = generate_latest(registry).decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_counts_grow_over_a_restart_and_over_several_scorers() -> None:
    """A heartbeat that comes twice adds nothing; a new life begins at 0 and takes nothing away."""
    scorers = Scorers()
    for pid, scored in ((1, 3), (1, 5), (1, 5), (2, 4), (3, 2)):
        scorers.heard(beat(pid, info(scored)), now_s=0.0)
    found = series(scorers)
    assert found["flexion_scorer_windows_total", "scored"] == 5 + 4 + 2
    assert found["flexion_scorer_windows_total", "not_scored"] == 3
    assert found["flexion_scorer_stage_seconds_count", "compute"] == 11
    assert found["flexion_scorer_stage_seconds_bucket", "0.025", "compute"] == 0
    assert found["flexion_scorer_stage_seconds_bucket", "0.05", "compute"] == 11
    assert found["flexion_scorer_stage_seconds_bucket", "+Inf", "compute"] == 11
    assert round(found["flexion_scorer_stage_seconds_sum", "compute"], 6) == 0.33


def test_a_fallback_and_a_drift_are_counted() -> None:
    """Which engine runs, that it was not the first choice, how often that happened, and that one went astray."""
    scorers = Scorers()
    scorers.heard(beat(1, info(4, looks=2)), 0.0)
    scorers.heard(beat(2, info(7, fallback=7, degraded=True, looks=1, drifted=1)), 0.0)
    scorers.heard(beat(2, info(9, fallback=9, degraded=True, looks=1, drifted=1)), 0.0)
    found = series(scorers)
    assert found["flexion_scorers", "onnxruntime-cpu", "false", "cpu", "fp32"] == 1
    assert found["flexion_scorers", "onnxruntime-cpu", "true", "cpu", "fp32"] == 1
    assert found["flexion_scorer_fallback_windows_total",] == 9
    assert found["flexion_scorer_fallbacks_total",] == 1
    assert found["flexion_scorer_canary_looks_total",] == 3
    assert found["flexion_scorer_canary_drifts_total",] == 1


def test_one_that_stands_by_serves_nobody_and_falls_back_when_it_takes_over() -> None:
    """Its engine is a lesser one by its office: an alert on it would never end."""
    scorers, core = Scorers(), ("flexion_scorers", "onnxruntime-cpu", "true", "cpu", "fp32")
    scorers.heard(beat(1, info(0, degraded=True) | {"standby": True}), 0.0)
    found = series(scorers)
    assert core not in found and found["flexion_scorer_fallbacks_total",] == 0
    for standby in (False, True, False):
        scorers.heard(beat(1, info(1, degraded=True) | {"standby": standby}), 1.0)
    found = series(scorers)
    assert found[core] == 1 and found["flexion_scorer_fallbacks_total",] == 1


def test_who_is_silent_serves_no_more_and_is_forgotten_later() -> None:
    """Its counts stay; whatever it says of itself, another life is another."""
    scorers = Scorers()
    scorers.heard(beat(1, info(4)), 0.0)
    scorers.passed(SILENT_S + 0.1)
    assert ("flexion_scorers", "onnxruntime-cpu", "false", "cpu", "fp32") not in series(scorers)
    scorers.passed(FORGET_S + 0.1)
    scorers.heard(beat(2, info(1)), FORGET_S + 0.2)
    assert series(scorers)["flexion_scorer_windows_total", "scored"] == 5


def test_a_life_that_was_forgotten_and_is_heard_again_counts_once() -> None:
    """A machine that slept, a line that was down for hours: its counts go on where they were."""
    scorers = Scorers()
    scorers.heard(beat(1, info(4, degraded=True)), 0.0)
    scorers.passed(FORGET_S + 0.1)
    scorers.heard(beat(1, info(6, degraded=True)), FORGET_S + 0.2)
    found = series(scorers)
    assert found["flexion_scorer_windows_total", "scored"] == 6
    assert found["flexion_scorer_stage_seconds_count", "compute"] == 6
    assert found["flexion_scorer_fallbacks_total",] == 1


def test_a_heartbeat_that_says_little_is_heard() -> None:
    """Of another version: it counts as one that serves, and breaks nothing."""
    scorers = Scorers()
    scorers.heard(beat(1, {}), 0.0)
    assert series(scorers)["flexion_scorers", "", "", "", ""] == 1


def test_metrics_show_what_scorers_say(teller: Teller, client: httpx.Client) -> None:
    """From Redis to Prometheus; neither bed nor patient nor session is named."""
    heartbeat = Heartbeat(teller.redis, "scorer", "scorer-1")
    deadline_s = time.monotonic() + SOON_S
    while 'flexion_scorer_windows_total{state="scored"} 6.0' not in (text := client.get("/metrics").text):
        assert time.monotonic() < deadline_s
        heartbeat.beat(info(6))
    assert 'flexion_scorers{backend="onnxruntime-cpu",degraded="false",device="cpu",precision="fp32"} 1.0' in text
    assert teller.session not in text and "P-017" not in text
