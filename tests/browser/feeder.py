"""A stand-in for bridge, scorers and aggregator: says to a real Redis what they would, about a simulated patient.

For tests and for looking at the pages: ``python -m tests.browser.feeder --redis URL --bed B4 --state READY``. Windows,
quality and traces come from the real signal chain; the scores and the outcome are made up.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from acquisition.chain import Chain
from acquisition.decisions import Decision
from acquisition.hum import Hum
from acquisition.identity import new_session_id
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, Simulated, stream
from acquisition.windowing import Window
from inference.similarity import Similarity, reason_of
from streaming import keys
from streaming.connection import connect
from streaming.events import EventLog
from streaming.framing import Framer
from streaming.heartbeat import Heartbeat
from streaming.pulse import Pulse
from streaming.records import ResultRecord
from streaming.sessions import Registry, SessionEntry
from streaming.teller import window_event
from streaming.waves import WavePublisher

ENGINE = {"backend": "onnxruntime", "device": "cpu", "precision": "fp32", "degraded": False, "version": "1.0"}
BUNDLE = {"name": "lstm-bands", "version": "1.0.0", "sha256": "ab" * 32, "origin": "synthetic"}
IMAGE_BUNDLE = {"name": "cnn-shufflenet", "version": "1.0.0", "sha256": "cd" * 32, "origin": "synthetic"}
BUNDLES = {"eeg_emg": BUNDLE, "fmri": IMAGE_BUNDLE, "fusion": None}
SCAN = "ef" * 32
NO_SCAN = "There is no scored scan of this patient."
#: Seconds of a push.
STEP_S = 0.02


@dataclass
class Plan:
    """What the stand-in plays."""

    bed: str = "B4"
    patient: str = "P-017"
    mode: str = "demo"
    state: str = "PARTIAL"
    recorded: bool = True
    scored: bool = True
    seed: int = 5
    flat: tuple[str, ...] = ()
    hum: tuple[str, ...] = ()
    other_hum: tuple[str, ...] = ()
    unlike: bool = False
    fallback: bool = False
    gap_at_s: float | None = None
    gap_s: float = 1.5
    planned_s: float = 540.0
    silent: set[str] = field(default_factory=set)


class Feeder:
    """Play one session.

    Parameters
    ----------
    url : str
        A Redis that is ours alone.
    plan : Plan
        What is played.
    """

    def __init__(self, url: str, plan: Plan) -> None:
        self.plan = plan
        self.session = new_session_id()
        self.redis = connect(url, "feeder")
        self.montage = load_montage("amp16")
        self.chain = Chain(self.montage, 50.0)
        self.pulse = Pulse(self.montage.labels)
        self.hum = Hum(self.montage.labels, self.montage.rate_hz, 50.0)
        self.framer = Framer(self.montage.rate_hz)
        self.events = EventLog(self.redis, self.session)
        self.waves = WavePublisher(self.redis, self.session)
        self.n_results = 0
        self.results: list[ResultRecord] = []
        self._hearts = [
            Heartbeat(self.redis, "bridge", self.session, session=self.session),
            Heartbeat(self.redis, "scorer", "scorer-1"),
            Heartbeat(self.redis, "aggregator", "aggregator-1"),
        ]
        self._blocks = self._samples()
        self._rest = np.empty((0, self.montage.n_channels))
        self._markers: list[tuple[int, str]] = []
        self._received = 0
        self._stop = threading.Event()
        self._player: threading.Thread | None = None

    # -- life -----------------------------------------------------------------------------------

    def open(self) -> None:
        """Enter the session and say what it is."""
        plan = self.plan
        entry = SessionEntry(self.session, plan.bed, plan.patient, plan.mode, datetime.now(UTC).isoformat())
        Registry(self.redis).open(entry)
        self.events.append("session", self._session())
        self._source("LIVE", "")
        self._decide("segment", {"segment": 0, "first_sample": 0, "reason": "start"})
        if plan.scored:
            self._outcome()
        self.beat()

    def skip(self, seconds: float) -> None:
        """Play the next seconds at once, without the wave."""
        end = self._received + round(seconds * self.montage.rate_hz)
        while self._received < end:
            self._push(min(1000, end - self._received), show=False)

    def begin(self) -> None:
        """Play what follows as it passes, until `halt`."""
        self._player = threading.Thread(target=self.run, args=(3600.0,))
        self._player.start()

    def halt(self) -> None:
        """Fall silent, as a bridge that was killed does."""
        self._stop.set()
        if self._player is not None:
            self._player.join()

    def leave(self) -> None:
        """Fall silent and give the bed free for the next session."""
        self.halt()
        Registry(self.redis).close(self.session, "planned")

    def run(self, seconds: float) -> None:
        """Play the next seconds as they pass."""
        begun, n_done, next_beat = time.monotonic(), 0, 0.0
        while n_done * STEP_S < seconds and not self._stop.is_set():
            if time.monotonic() - begun >= next_beat:
                self.beat()
                next_beat += 1.0
            self._push(round(STEP_S * self.montage.rate_hz), show=True)
            n_done += 1
            time.sleep(max(0.0, begun + n_done * STEP_S - time.monotonic()))

    def end(self) -> None:
        """End the session as the bridge does."""
        self.chain.obey(Decision("end", 1, 0, self._received, {"reason": "planned"}))
        summary = {"ended": True, "reason": "planned", "ended_utc": datetime.now(UTC).isoformat()}
        windows = {"made": self.n_results, "published": self.n_results, "scored": self.n_results}
        more = {"not_scored": 0, "dead_lettered": 0, "unrecorded": 0}
        ledger = self.chain.ledger.to_json()
        self.events.append("end", summary | {"ledger": ledger, "windows": windows | more})
        Registry(self.redis).close(self.session, "planned")

    def beat(self) -> None:
        """Send every role's heartbeat."""
        info = {
            **self.pulse.to_json(),
            "next_sample": self.chain.next_sample,
            "ledger": self.chain.ledger.to_json(),
            "recorded": self.plan.recorded,
            "published": self.n_results,
            "results": self.n_results,
            "latency_s": 0.31,
            "other_mains": self.hum.to_json(),
            "disk_free_bytes": 84_000_000_000,
        }
        for heart, said in zip(self._hearts, (info, {}, {}), strict=True):
            if heart._who[0] not in self.plan.silent:
                heart.beat(said)

    # -- signal ---------------------------------------------------------------------------------

    def _samples(self) -> Iterator[Simulated]:
        patient = Patient.draw(self.plan.seed, mains_hz=50.0)
        return stream(patient, ParadigmPlan(), self.montage)

    def _push(self, n: int, *, show: bool) -> None:
        gap_at_s = self.plan.gap_at_s
        if gap_at_s is not None and self.chain.next_sample >= gap_at_s * self.montage.rate_hz:
            self.plan.gap_at_s = None
            self._gap(round(self.plan.gap_s * self.montage.rate_hz))
        x_uv = self._next(n)
        while len(x_uv):
            step = self.chain.push(x_uv)
            x_uv = x_uv[step.n_taken :]
            if step.calibration is not None:
                self.chain.obey(Decision("calibration", 1, 0, self._received, step.calibration.to_json()))
            self.pulse.cells(step.cells)
            for window in step.windows:
                self._window(window, scored=not show or "scorer" not in self.plan.silent)
            for traces in step.traces:
                self.hum.push(traces.first_sample, traces.x_uv)
            if (notice := self.hum.notice()) is not None:
                self.events.append("notice", {"level": "technical", **notice})
            for traces in step.traces if show else ():
                for frame in self.framer.push(traces, float("nan")):
                    self.waves.publish(frame)

    def _next(self, n: int) -> np.ndarray:
        """Return n samples, and say the markers among them."""
        while len(self._rest) < n:
            block = next(self._blocks)
            self._rest = np.concatenate([self._rest, self._spoiled(block.samples.astype(float))])
            self._markers += [(sample, text) for sample, text in block.markers]
        x_uv, self._rest = self._rest[:n], self._rest[n:]
        self._received += n
        lost = self.chain.next_sample - (self._received - n)
        while self._markers and self._markers[0][0] < self._received:
            sample, text = self._markers.pop(0)
            self._decide("marker", {"text": text, "phase": self.montage.phase_of(text), "sample": sample + lost})
        return x_uv

    def _spoiled(self, x_uv: np.ndarray) -> np.ndarray:
        for label in self.plan.flat:
            x_uv[:, self.montage.labels.index(label)] = 12.0
        t_s = np.arange(len(x_uv)) / self.montage.rate_hz
        for label in self.plan.hum:
            x_uv[:, self.montage.labels.index(label)] += 900.0 * np.sin(2 * np.pi * 50 * t_s)
        for label in self.plan.other_hum:
            x_uv[:, self.montage.labels.index(label)] += 120.0 * np.sin(2 * np.pi * 60 * t_s)
        return x_uv

    def _gap(self, n: int) -> None:
        self._decide("lost", {"n": n, "reason": "gap"})
        data = {"segment": 1, "first_sample": self.chain.next_sample, "reason": "gap"}
        self._decide("segment", data)

    def _decide(self, kind: str, data: dict[str, Any]) -> None:
        decision = Decision(kind, 1, 0, self._received, data)
        self.chain.obey(decision)
        self.pulse.decision(decision)
        if kind != "lost":
            self.events.append(kind, data)

    # -- what is said ---------------------------------------------------------------------------

    def _session(self) -> dict[str, Any]:
        return {
            "session": self.session,
            "bed": self.plan.bed,
            "patient": self.plan.patient,
            "mode": self.plan.mode,
            "origin": "simulated",
            "planned_s": self.plan.planned_s,
            "rate_hz": self.montage.rate_hz,
            "mains_hz": 50.0,
            "labels": self.montage.labels,
            "kinds": self.montage.kinds,
            "filters": self.chain.filters,
            "bundles": BUNDLES if self.plan.scored else dict.fromkeys(BUNDLES),
        }

    def _source(self, state: str, cause: str) -> None:
        self.pulse.link = (state, cause)
        self.events.append("source", {"state": state, "cause": cause})

    def _window(self, window: Window, *, scored: bool) -> None:
        """Say that there is a window, and its result: from a scorer that is silent none comes any more."""
        self.events.append("window", window_event(window, self.montage.labels))
        if self.plan.scored and scored:
            self._result(window)

    def _result(self, window: Window) -> None:
        scored = window.weight > 0
        result = ResultRecord(
            session=self.session,
            index=window.index,
            segment=window.segment,
            first_sample=window.first_sample,
            state="scored" if scored else "not_scored",
            reason=None if scored else "quality",
            logit=0.9 + 0.3 * np.sin(window.index) if scored else None,
            embedding=None,
            sqi=window.sqi,
            weight=window.weight,
            flags=window.flags,
            phases=window.phases,
            channel_quality=window.channel_quality,
            bundle_sha256=BUNDLE["sha256"],
            fingerprint="",
            calibration="",
            engine=ENGINE | {"degraded": self.plan.fallback} if scored else None,
            stamp_s=float("nan"),
            stages_s={},
        )
        self.redis.xadd(keys.results(self.session), result.encode())  # type: ignore[arg-type]
        self.n_results += 1
        self._outcome()

    def _outcome(self) -> None:
        self.events.append("outcome", outcome(self.plan.state, self.n_results, unlike=self.plan.unlike))


def outcome(state: str, n: int, *, unlike: bool = False) -> dict[str, Any]:
    """Return an outcome of this state after n windows."""
    similarity = Similarity(6.5, 0.9999) if unlike else Similarity(2.15, 0.284)
    eeg = {"status": "ok", "windows": n, "weight": float(n), "logit": 0.86, "probability": 0.69}
    fmri = {
        "status": "absent",
        "slices": 0,
        "scan_sha256": None,
        "scanned_on": None,
        "logit": None,
        "probability": None,
    }
    whole: dict[str, Any] = {
        "state": state,
        "probability": 0.69,
        "interval": [0.55, 0.81],
        "provisional": n < 12,
        "modalities": ["eeg_emg"],
        "missing": [{"modality": "fmri", "reason": NO_SCAN}],
        "reasons": [],
        "parts": {"eeg_emg": eeg, "fmri": fmri},
        "fma": None,
        "fusion": None,
        "similarity": similarity.to_json(),
    }
    if unlike:
        whole["reasons"] = [reason_of(similarity)]
    without = {"probability": None, "interval": None, "modalities": [], "provisional": False, "similarity": None}
    unknown = {"logit": None, "probability": None}
    if state in ("PROVISIONAL", "READY"):
        scan = {
            "status": "ok",
            "slices": 31,
            "scan_sha256": SCAN,
            "scanned_on": "2026-11-10",
            "logit": 1.2,
            "probability": 0.74,
        }
        whole |= {"modalities": ["eeg_emg", "fmri"], "missing": [], "parts": {"eeg_emg": eeg, "fmri": fmri | scan}}
        whole |= {"probability": 0.72, "interval": [0.58, 0.83], "provisional": state == "PROVISIONAL"}
        weights = {"eeg_emg": {"value": 0.61, "interval": [0.4, 0.8]}, "fmri": {"value": 0.42, "interval": [0.2, 0.6]}}
        whole["fusion"] = {"method": "logit_stack", "untrained": False, "weights": weights}
        whole["fma"] = {"value": 20.6, "interval": [13.9, 28.2]}
    elif state == "COLLECTING":
        reason = f"{n} of 2 windows are scored. Go on with the movements."
        whole |= without | {"reasons": [reason]}
        eeg |= unknown | {"status": "collecting"}
        whole["missing"] = [{"modality": "eeg_emg", "reason": reason}, {"modality": "fmri", "reason": NO_SCAN}]
    elif state == "ABSTAINED":
        reason = (
            f"The signal of {n} windows has 12% of full weight, a third is needed. "
            "Bad: C3 (7 windows), P3 (7 windows), RF (6 windows). Press or re-gel these electrodes."
        )
        whole |= without | {"reasons": [reason]}
        eeg |= unknown | {"status": "abstained"}
        whole["missing"] = [{"modality": "eeg_emg", "reason": reason}, {"modality": "fmri", "reason": NO_SCAN}]
    elif state == "INVALID":
        reason = "Window 0: the bundle needs montage eeg16, the stream has amp16."
        whole |= without | {"reasons": [f"The model and the stream do not fit: {reason}"]}
        eeg |= unknown | {"status": "refused"}
        whole["missing"] = [{"modality": "eeg_emg", "reason": reason}, {"modality": "fmri", "reason": NO_SCAN}]
    return whole


def main() -> None:
    """Play one session from the command line."""
    parser = argparse.ArgumentParser(description="Say to Redis what a bridge would.")
    parser.add_argument("--redis", required=True)
    parser.add_argument("--bed", default="B4")
    parser.add_argument("--state", default="PARTIAL")
    parser.add_argument("--skip", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--flat", nargs="*", default=[])
    parser.add_argument("--hum", nargs="*", default=[])
    parser.add_argument("--gap-at", type=float, default=None)
    parser.add_argument("--unrecorded", action="store_true")
    parser.add_argument("--end", action="store_true")
    args = parser.parse_args()
    plan = Plan(
        bed=args.bed,
        state=args.state,
        flat=tuple(args.flat),
        hum=tuple(args.hum),
        gap_at_s=args.gap_at,
        recorded=not args.unrecorded,
    )
    feeder = Feeder(args.redis, plan)
    feeder.open()
    feeder.skip(args.skip)
    feeder.run(args.seconds)
    if args.end:
        feeder.end()


if __name__ == "__main__":
    main()
