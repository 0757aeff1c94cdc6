"""Bundling: the final network of a run becomes a bundle, if it passes the gates.

Checkpoint -> sensitivity gate -> graph -> parity -> calibration from out-of-fold logits -> card -> golden windows. The
network of the bundle has learned from nearly all patients, so nobody is left to judge it: every figure on its card, and
its calibration, are those of the networks of the folds, each on patients that it had not seen. In profile ``paper`` it
is the network of the only fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.montage import Montage, load_montage
from inference.building import with_golden, write_bundle
from inference.bundle import Bundle
from inference.engines.ort import OrtEngine
from inference.engines.parity import GOLDEN_SET, golden_window
from inference.normalisation import zscore
from training.bundles.card import card
from training.bundles.digest import digest
from training.bundles.export import graph_of
from training.bundles.gate import LARGEST_GAIN, Sensitivity, pass_gate
from training.bundles.parity import LOGIT_ATOL, pass_parity
from training.bundles.placing import LICENCES, building, replace_bundle
from training.cohort.cohort import Cohort
from training.cohort.opening import SPEC, open_place, windows_of
from training.data.windows import PatientWindows, counts, prepare
from training.evaluation.document import read_evaluation
from training.evaluation.figures import THRESHOLD
from training.fitting.checkpoints import BEST, read_network
from training.fitting.judging import window_logits
from training.models.networks import NetworkSpec, StackedLstm
from training.runs.predictions import Prediction, read_predictions
from training.runs.run_folder import RunFolder
from training.statistics.points import points_of
from training.statistics.weighting import bundle_calibration

#: Windows' worth of signal from which the bedside has a number, and from which it is no longer provisional (contract).
N_MIN, N_READY = 2, 12
#: Patients whose windows the gates try beside the golden ones, and windows of each.
N_PROBED, N_OF_EACH = 3, 2


@dataclass(frozen=True, eq=False)
class Source:
    """All that a bundle is made of.

    Parameters
    ----------
    run : RunFolder
        The run.
    cohort : Cohort
        Its patients, unchanged since.
    net, spec, facts
        The final network, which one it is, and what its fit says of it.
    train : sequence of PatientWindows
        The patients that it learned from.
    predictions : sequence of Prediction
        Of the folds.
    """

    run: RunFolder
    cohort: Cohort
    net: StackedLstm
    spec: NetworkSpec
    facts: Mapping[str, Any]
    train: Sequence[PatientWindows]
    predictions: Sequence[Prediction]

    @classmethod
    def of(cls, run: RunFolder) -> Source:
        """Read a run and its cohort.

        Raises
        ------
        RunError
            If the run has no final network or no predictions, or its cohort or recordings have changed since.
        FingerprintMismatch
            If the run was trained behind another conditioning than today's.
        CohortError, SplitError
            If the cohort or the splits cannot be read.
        """
        cohort = Cohort.open(run.cohort_folder)
        run.check_resumable(cohort)
        fold = run.splits.exported
        net, spec, facts = read_network(run.checkpoints_path(fold.name) / BEST)
        predictions = read_predictions(run.predictions_path)
        members = set(fold.train)
        few = replace(cohort, participants=tuple(p for p in cohort.participants if p.id in members))
        train = tuple(prepare(few, raw=spec.reads_samples).values())
        run.check_unchanged(train, members)
        return cls(run, cohort, net, spec, facts, train, predictions)

    @property
    def montage(self) -> Montage:
        """Of the recordings."""
        return load_montage(self.cohort.montage)


def bundle_of_run(run: RunFolder, out: Path, name: str = "", version: str = "") -> Bundle:
    """Make the bundle of a run; a bundle that is there is replaced when the new one is whole, never before.

    Parameters
    ----------
    run : RunFolder
        Trained to its end; with ``evaluation.json``, its figures stand on the card.
    out : Path
        The bundle's folder.
    name, version : str
        By default ``lstm-bands`` or ``lstm-raw``, and the day on which the run was made.

    Returns
    -------
    Bundle
        Loaded and checked, with golden windows.

    Raises
    ------
    GateError
        If the network is too sensitive, or its graph is another network.
    BadEnvironment
        If the disk does not take it.
    RunError, CohortError, FingerprintMismatch
        If the run is not complete, its ``evaluation.json`` is none, or it belongs to another cohort or conditioning.
    """
    evaluation, source = known_evaluation(run), Source.of(run)
    name = name or f"lstm-{source.spec.kind}"
    x = _probes(source)
    sensitivity = pass_gate(source.net, x, name)
    graph = graph_of(source.net, SPEC.window.n_samples, source.montage.n_channels).SerializeToString()
    differences = pass_parity(source.net, graph, x.astype(np.float32), name)
    head = {"name": name, "version": version or run.record["made_utc"][:10].replace("-", ".")}
    manifest = head | _manifest(source, _training(source, sensitivity, differences, evaluation))
    with building(out) as folder:
        made = _written(folder, manifest, graph, evaluation)
        replace_bundle(made.path, made.manifest.head.files, out)
    return Bundle.load(out)


def _written(folder: Path, manifest: Mapping[str, Any], graph: bytes, evaluation: Mapping[str, Any] | None) -> Bundle:
    """Write the bundle once without golden windows, run them, and write it again."""
    (folder / "model.onnx").write_bytes(graph)
    (folder / "card.md").write_text(card(manifest, LARGEST_GAIN, evaluation), encoding="utf-8")
    if evaluation is not None:
        (folder / "report.md").write_text(digest(evaluation), encoding="utf-8")
    write_bundle(folder, manifest)
    bundle = Bundle.load(folder)
    engine = OrtEngine(bundle)
    write_bundle(folder, with_golden(manifest, engine, bundle))
    engine.close()
    return Bundle.load(folder)


def _probes(source: Source) -> NDArray[np.float64]:
    """Return the windows that the gates try: the golden ones, and some of patients that trained."""
    shape = (SPEC.window.n_samples, source.montage.n_channels)
    golden = [golden_window(window, seed, shape) for window, seed in GOLDEN_SET]
    real = [window for patient in source.train[:N_PROBED] for window in _some_of(source, patient)]
    return np.stack([*golden, *real]).astype(np.float64)


def _some_of(source: Source, patient: PatientWindows) -> list[NDArray[np.float32]]:
    """Return the first z-scored windows of a patient, made anew where only tokens were kept."""
    if patient.x is not None:
        return list(patient.x[:N_OF_EACH])
    place = source.cohort.place_of(patient.patient)
    assert place is not None, "prepare made windows of it"
    windows = filter(counts, windows_of(open_place(place, source.montage)))
    return [zscore(window.x_uv, window.channel_quality) for window in islice(windows, N_OF_EACH)]


def _manifest(source: Source, training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest without name, version, files and golden windows."""
    montage, window = source.montage, SPEC.window
    record = source.run.record
    points = points_of(source.predictions) if source.net.fma is not None else None
    outputs = [{"name": "logit", "shape": ["batch"], "dtype": "float32"}]
    outputs += [{"name": "fma", "shape": ["batch"], "dtype": "float32"}] if points else []
    return {
        "kind": "eeg_emg",
        "origin": record["origin"],
        "licence": LICENCES[record["origin"]],
        "training": training,
        "inputs": [{"name": "x", "shape": ["batch", window.n_samples, montage.n_channels], "dtype": "float32"}],
        "outputs": [*outputs, {"name": "embedding", "shape": ["batch", source.spec.widths[-1]], "dtype": "float32"}],
        "montage": {"name": montage.name, "labels": list(montage.labels), "kinds": list(montage.kinds)},
        "rate_hz": montage.rate_hz,
        "window": {"n_samples": window.n_samples, "stride": window.stride},
        "fingerprint": SPEC.fingerprint,
        "mains_hz": sorted({patient.mains_hz for patient in source.train}),
        "aggregation": "logit_mean_quality",
        "calibration": bundle_calibration(source.predictions, seed=source.run.config.run.seed),
        "n_min": N_MIN,
        "n_ready": N_READY,
        "threshold": THRESHOLD,
        "parity": {"logit_atol": LOGIT_ATOL},
        "embedding": _embedding(source),
        **({"fma": points} if points else {}),
    }


def _training(
    source: Source, sensitivity: Sensitivity, differences: Mapping[str, float], evaluation: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return what the manifest says of the run; nothing in it names a path or a patient."""
    run, record, splits = source.run, source.run.record, source.run.splits
    return {
        "made_by": "flexion train eeg",
        "run": record["name"],
        "made_utc": record["made_utc"],
        "cohort": {key: record["cohort"][key] for key in ("name", "sha256", "patients", "with_eeg", "good")},
        "described": {
            key: source.cohort.described[key] for key in ("effect", "seed") if key in source.cohort.described
        },
        "profile": splits.profile,
        "folds": len(splits.folds),
        "final": {
            "train": len(source.train),
            "stop": sum(source.cohort.participant(patient).has_eeg for patient in splits.exported.stop),
            "windows": sum(map(len, source.train)),
            **source.facts,
        },
        "config": run.config.flat(),
        "sensitivity": {
            "gain": sensitivity.gain,
            "noise": sensitivity.noise,
            "windows": sensitivity.n_windows,
        },
        "parity_to_float64": dict(differences),
        "test_auc_by_windows": _auc_by_windows(evaluation),
        "git": record["git"],
        "versions": record["versions"],
    }


def _auc_by_windows(evaluation: Mapping[str, Any] | None) -> dict[str, list[float | None]] | None:
    if evaluation is None:
        return None
    return {
        str(row["n_windows"]): [row["auc"][key] for key in ("value", "low", "high")]
        for model in evaluation["models"]
        if model["kind"] == "network"
        for row in model["by_windows"]
    }


def _embedding(source: Source) -> dict[str, Any]:
    """Return mean and covariance of the training patients' mean embeddings."""
    means = np.stack([np.average(window_logits(source.net, p)[1], axis=0, weights=p.weights) for p in source.train])
    covariance = np.atleast_2d(np.cov(means.T))
    return {
        "mean": [_short(value) for value in means.mean(axis=0)],
        "covariance": [[_short(value) for value in row] for row in covariance],
    }


def _short(value: float) -> float:
    """Return six digits: there are a thousand of them, and nothing is computed from the seventh."""
    return float(f"{value:.6g}")


def known_evaluation(run: RunFolder) -> Mapping[str, Any] | None:
    """Return a run's evaluation, or None where it was not evaluated; raises RunError where it is none."""
    return read_evaluation(run.path) if run.evaluation_path.exists() else None
