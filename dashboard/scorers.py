"""Scorers: what their heartbeats say of engines, windows and times, added up for Prometheus (pure, time is handed in).

A heartbeat holds counts since its process began. What each life added since it was last heard is added here, so that
the series grow over restarts of scorers; when this process begins anew, they begin with what lives then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from streaming.heartbeat import Beat

#: Seconds of silence after which a scorer is not counted among those that serve: where contact is struck through.
SILENT_S = 10.0
#: Seconds after which a life that is silent is forgotten; what it has counted is not, should it be heard again.
FORGET_S = 3600.0
#: Of an engine, what the gauge tells apart.
ENGINE = ("backend", "device", "precision", "degraded")

#: One life of a scorer, and one count: its series and labels.
_Life = tuple[str, str, int]
_Key = tuple[str, ...]


class Scorers(Collector):
    """The series of all scorers that were heard."""

    def __init__(self) -> None:
        self._heard: dict[_Life, tuple[float, Beat]] = {}
        self._counted: dict[_Life, Counter[_Key]] = {}
        self._fell: set[_Life] = set()
        self._totals: Counter[_Key] = Counter()
        self._bounds_s: tuple[float, ...] = ()
        self._now_s = 0.0

    def heard(self, beat: Beat, now_s: float) -> None:
        """Take a heartbeat of a scorer.

        Parameters
        ----------
        beat : Beat
            Of role ``scorer``.
        now_s : float
            Our clock.
        """
        life = (beat.name, beat.host, beat.pid)
        counts = _counts(beat.info)
        if life not in self._fell and _serves(beat) and _engine(beat).get("degraded"):
            self._fell.add(life)
            self._totals["fallbacks",] += 1
        self._totals.update(counts - self._counted.get(life, Counter()))
        self._bounds_s = tuple((beat.info.get("stages") or {}).get("bounds_s", self._bounds_s))
        self._heard[life], self._counted[life] = (now_s, beat), counts
        self.passed(now_s)

    def passed(self, now_s: float) -> None:
        """Let time pass: who is silent for long is forgotten."""
        self._now_s = now_s
        for life in [life for life, (heard_s, _) in self._heard.items() if now_s - heard_s > FORGET_S]:
            del self._heard[life]

    def collect(self) -> Iterator[Metric]:
        """Yield the series."""
        yield self._engines()
        windows = CounterMetricFamily("flexion_scorer_windows", "Windows with a result, by its state", labels=["state"])
        for (series, *labels), n in sorted(self._totals.items()):
            if series == "windows":
                windows.add_metric(labels, n)
        yield windows
        for name, series, words in (
            ("fallback_windows", "fallback_windows", "Windows that an engine scored which was not the first choice"),
            ("fallbacks", "fallbacks", "Scorers that came to serve with an engine which was not the first choice"),
            ("canary_looks", "looks", "Golden windows that a serving engine gave the same bits for"),
            ("canary_drifts", "drifted", "Engines that gave other bits than at their start, and were ended"),
        ):
            yield CounterMetricFamily(f"flexion_scorer_{name}", words, value=self._totals[series,])
        yield self._stages()

    def _engines(self) -> Metric:
        family = GaugeMetricFamily("flexion_scorers", "Scorers that serve, by their engine", labels=ENGINE)
        heard = [beat for heard_s, beat in self._heard.values() if self._now_s - heard_s <= SILENT_S]
        serving = [_engine(beat) for beat in heard if _serves(beat)]
        engines = Counter(tuple(str(engine.get(key, "")).lower() for key in ENGINE) for engine in serving)
        for labels, n in sorted(engines.items()):
            family.add_metric(labels, n)
        return family

    def _stages(self) -> Metric:
        family = HistogramMetricFamily(
            "flexion_scorer_stage_seconds", "Time of a window in a stage of its scorer", labels=["stage"]
        )
        for stage in sorted({labels[0] for series, *labels in self._totals if series == "sum_s"}):
            n, bins = 0, []
            for i, bound in enumerate([*map(str, self._bounds_s), "+Inf"]):
                n += self._totals["bin", stage, str(i)]
                bins.append((bound, n))
            family.add_metric([stage], bins, self._totals["sum_s", stage])
        return family


def _serves(beat: Beat) -> bool:
    """Tell whether a scorer takes windows; one that stands by does not."""
    return not beat.info.get("standby", False)


def _engine(beat: Beat) -> Mapping[str, Any]:
    return beat.info.get("engine") or {}


def _counts(info: Mapping[str, Any]) -> Counter[_Key]:
    """Return every count of a heartbeat by its series and labels."""
    counts: Counter[_Key] = Counter()
    counts["fallback_windows",] = info.get("fallback", 0)
    for state, n in info.get("windows", {}).items():
        counts["windows", state] = n
    for name, n in info.get("canary", {}).items():
        counts[name,] = n
    for stage, times in (info.get("stages") or {}).get("stages", {}).items():
        counts["sum_s", stage] = times["sum_s"]
        for i, n in enumerate(times["counts"]):
            counts["bin", stage, str(i)] = n
    return counts
