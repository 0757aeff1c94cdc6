"""Make ``lstm-bands``, the bundle that ships: simulate, train, export, calibrate, test, write.

``python -m training.demo_bundle --out inference/bundles/lstm-bands --patients 280 --seed 2026``

The same seed gives the same patients, parts and draws; on one machine with one set of versions also the same weights.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from acquisition.chain import ChainSpec
from acquisition.montage import load_montage
from acquisition.simulator import Patient
from inference.building import with_golden, write_bundle
from inference.bundle import Bundle
from inference.calibration import Calibration, sigmoid
from inference.engines.ort import OrtEngine
from inference.engines.parity import GOLDEN_SET, golden_window
from training.auc import auc_bootstrap, auc_delong
from training.export import graph_of
from training.fit import FitSpec, Fitted, fit
from training.judging import window_logits
from training.metrics import brier
from training.networks import BandLstm
from training.report import Facts, Row, card
from training.splits import split
from training.synthesis import SETTLING_S, Session, Task, make_sessions
from training.tokens import log_powers
from training.weighting import calibrate, session_logit
from training.windows import PatientWindows

NAME, VERSION, MONTAGE, LICENCE = "lstm-bands", "1.0.0", "amp16", "Apache-2.0"
#: Samples of a window, and seconds.
N_SAMPLES, WINDOW_S = 10_000, 10.0
#: Windows of a session for patients that train or stop, and of a whole one.
N_SHORT, N_WHOLE = 10, 53
#: Numbers of windows for which the card has figures.
ON_CARD = (3, 6, 12, 24, 53)
#: Largest difference of a logit between two engines that may serve one session.
LOGIT_ATOL = 1e-4
AGGREGATIONS = ("logit_mean_quality", "prob_mean")


@dataclass(frozen=True)
class Run:
    """Settings of one run.

    Parameters
    ----------
    patients, seed : int
        How many, and of everything random.
    effect : float
        How much recovery shows in the signal.
    workers : int
        Processes that simulate; changes no bit.
    n_short, n_whole : int
        Windows per session of the patients that train or stop, and of those that calibrate or test.
    fit : FitSpec or None
        Settings of the training; by default those of ``FitSpec`` with the run's seed.
    """

    patients: int
    seed: int
    effect: float = 2.0
    workers: int = 1
    n_short: int = N_SHORT
    n_whole: int = N_WHOLE
    fit: FitSpec | None = None


@dataclass(frozen=True)
class Scored:
    """A patient's windows as the network scores them."""

    good: bool
    recovery: float
    logits: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def of(cls, net: BandLstm, session: Session) -> Scored:
        """Score a session."""
        patient = session.patient
        return cls(patient.good, patient.recovery, window_logits(net, shown(session))[0], session.weights)


def shown(session: Session) -> PatientWindows:
    """Return a session as training takes it."""
    patient, n = session.patient, len(session.weights)
    return PatientWindows(
        patient=str(patient.seed),
        good=patient.good,
        fma=patient.fma,
        weights=session.weights,
        index=np.arange(n),
        n_made=n,
        n_uncalibrated=session.n_uncalibrated,
        tokens=session.tokens,
        x=None,
        fingerprint=ChainSpec().fingerprint,
        mains_hz=patient.mains_hz,
        recording_sha256="",
        origin="synthetic",
    )


def simulate(run: Run) -> dict[str, list[Session]]:
    """Return the sessions of every part of a run."""
    patients = [Patient.draw(run.seed * 1_000_000 + i, effect=run.effect) for i in range(run.patients)]
    parts = split([patient.good for patient in patients], run.seed)
    starts_s = np.random.default_rng(run.seed).uniform(0.0, 30.0, run.patients).round(3)
    sessions = {}
    for part, members in parts.items():
        short = part in ("train", "stop")
        seconds = SETTLING_S + WINDOW_S * (run.n_short if short else run.n_whole)
        tasks = [Task(patients[i], seconds, float(starts_s[i]) if short else 30.0) for i in members]
        sessions[part] = make_sessions(tasks, run.workers)
        _say(f"{part}: {len(members)} patients, {sum(len(s.weights) for s in sessions[part])} windows")
    return sessions


def build(run: Run, sessions: Mapping[str, Sequence[Session]], out: Path) -> Bundle:
    """Train, calibrate and test on a run's sessions, and write the bundle.

    Parameters
    ----------
    run : Run
        Settings.
    sessions : mapping of str to sequence of Session
        From ``simulate``.
    out : Path
        The bundle's folder; its files are replaced.

    Returns
    -------
    Bundle
        Loaded and checked, with golden windows.
    """
    train, stop = sessions["train"], sessions["stop"]
    spec = run.fit or FitSpec(seed=run.seed)
    fitted = fit([shown(session) for session in train], [shown(session) for session in stop], spec)
    _say(f"trained: best epoch {fitted.best_epoch + 1}, loss {min(fitted.losses):.3f}")
    montage = load_montage(MONTAGE)
    model = graph_of(fitted.net, N_SAMPLES, montage.n_channels).SerializeToString()
    scored = {part: [Scored.of(fitted.net, s) for s in sessions[part]] for part in ("calibrate", "test")}
    curves = {aggregation: _curve(scored["calibrate"], run.seed, aggregation) for aggregation in AGGREGATIONS}
    facts = _facts(run, sessions, fitted, scored["test"], curves[AGGREGATIONS[0]], parity(fitted.net, model))
    manifest = _manifest(run, facts, curves, _embedding(fitted.net, sessions["train"]))
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(model)
    (out / "card.md").write_text(card(facts), encoding="utf-8")
    write_bundle(out, manifest)
    bundle = Bundle.load(out)
    write_bundle(out, with_golden(manifest, OrtEngine(bundle), bundle))
    return Bundle.load(out)


def parity(net: BandLstm, model: bytes) -> float:
    """Return the largest difference of a logit between the graph in ONNX Runtime and the network in float64."""
    shape = (N_SAMPLES, load_montage(MONTAGE).n_channels)
    x = np.stack([golden_window(window, seed, shape) for window, seed in GOLDEN_SET])
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
    found = session.run(["logit"], {"x": x})[0]
    with torch.no_grad():
        exact = net.double()(torch.from_numpy(log_powers(x)))[0].numpy()
    net.float()
    largest = float(np.abs(found - exact).max())
    if largest > LOGIT_ATOL:
        raise ValueError(f"the graph's logits differ from the network's by {largest:.1e}, more than {LOGIT_ATOL:.0e}")
    return largest


def _curve(patients: Sequence[Scored], seed: int, aggregation: str) -> dict[str, Any]:
    return calibrate([(p.logits, p.weights) for p in patients], [p.good for p in patients], seed, aggregation)


def _facts(
    run: Run,
    sessions: Mapping[str, Sequence[Session]],
    fitted: Fitted,
    test: Sequence[Scored],
    curve: Mapping[str, Any],
    largest: float,
) -> Facts:
    good = [p.good for p in test]
    return Facts(
        version=VERSION,
        montage=MONTAGE,
        effect=run.effect,
        seed=run.seed,
        patients={part: len(members) for part, members in sessions.items()},
        windows={part: sum(len(s.weights) for s in members) for part, members in sessions.items()},
        n_short=run.n_short,
        n_whole=run.n_whole,
        prevalence=float(np.mean(good)),
        ceiling=auc_delong(good, [p.recovery for p in test]),
        rows=[_row(test, n, curve, run.seed) for n in ON_CARD if n <= run.n_whole],
        best_epoch=fitted.best_epoch + 1,
        parity=largest,
    )


def _row(test: Sequence[Scored], n: int, curve: Mapping[str, Any], seed: int) -> Row:
    """Return the figures of the test patients' first n windows."""
    good = [p.good for p in test]
    logits = [session_logit(p.logits[:n], p.weights[:n]) for p in test]
    line = Calibration(*(tuple(curve[key]) for key in "nab"), *(_rows(curve["draws"][key]) for key in "ab")).at(n)
    probabilities = [sigmoid(line.log_odds(logit)) for logit in logits]
    return Row(n, len(test), auc_delong(good, logits), auc_bootstrap(good, logits, seed), brier(good, probabilities))


def _rows(table: Sequence[Sequence[float]]) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, table))


def _embedding(net: BandLstm, train: Sequence[Session]) -> dict[str, Any]:
    """Return mean and covariance of the training patients' mean embeddings."""
    means = np.stack([np.average(window_logits(net, shown(s))[1], axis=0, weights=s.weights) for s in train])
    covariance = np.cov(means.T)
    return {
        "mean": [float(f"{value:.6g}") for value in means.mean(axis=0)],
        "covariance": [[float(f"{value:.6g}") for value in row] for row in covariance],
    }


def _manifest(run: Run, facts: Facts, curves: Mapping[str, Any], embedding: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest without files and golden windows."""
    montage, n_channels = load_montage(MONTAGE), load_montage(MONTAGE).n_channels
    figures = {str(row.n_windows): [row.delong.value, row.delong.low, row.delong.high] for row in facts.rows}
    return {
        "name": NAME,
        "version": VERSION,
        "kind": "eeg_emg",
        "origin": "synthetic",
        "licence": LICENCE,
        "training": {
            "made_by": "training.demo_bundle",
            "seed": run.seed,
            "effect": run.effect,
            "patients": dict(facts.patients),
            "windows": dict(facts.windows),
            "test_auc_by_windows": figures,
            "parity_to_float64": facts.parity,
            "versions": {"torch": torch.__version__, "numpy": np.__version__, "onnxruntime": onnxruntime.__version__},
        },
        "inputs": [{"name": "x", "shape": ["batch", N_SAMPLES, n_channels], "dtype": "float32"}],
        "outputs": [
            {"name": "logit", "shape": ["batch"], "dtype": "float32"},
            {"name": "embedding", "shape": ["batch", len(embedding["mean"])], "dtype": "float32"},
        ],
        "montage": {"name": montage.name, "labels": list(montage.labels), "kinds": list(montage.kinds)},
        "rate_hz": montage.rate_hz,
        "window": {"n_samples": N_SAMPLES, "stride": N_SAMPLES},
        "fingerprint": ChainSpec().fingerprint,
        "mains_hz": [50.0, 60.0],
        "aggregation": AGGREGATIONS[0],
        "calibration": dict(curves),
        "n_min": 2,
        "n_ready": 12,
        "threshold": 0.5,
        "parity": {"logit_atol": LOGIT_ATOL},
        "embedding": dict(embedding),
    }


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and make the bundle; it takes its place only when it is whole."""
    parser = argparse.ArgumentParser(prog="python -m training.demo_bundle", description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    parser.add_argument("--patients", type=int, default=280, help="simulated patients (default 280)")
    parser.add_argument("--seed", type=int, default=2026, help="of everything random (default 2026)")
    parser.add_argument("--workers", type=int, default=1, help="processes that simulate (default 1)")
    given = parser.parse_args(arguments)
    run = Run(given.patients, given.seed, workers=given.workers)
    with tempfile.TemporaryDirectory() as folder:
        made = build(run, simulate(run), Path(folder))
        given.out.mkdir(parents=True, exist_ok=True)
        for path in sorted(made.path.iterdir()):
            (given.out / path.name).write_bytes(path.read_bytes())
    _say(f"wrote {Bundle.load(given.out).words} to {given.out}")


if __name__ == "__main__":
    main()
