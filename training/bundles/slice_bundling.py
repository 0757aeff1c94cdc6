"""Bundling of a run on scans: its final image network becomes a bundle, if its graph is the network.

Checkpoint -> graph -> parity -> readout -> sanity check -> calibration by unseen patients -> card -> golden slices. As
with EEG and EMG, every figure on the card, and the calibration, are those of the networks of the folds, each on
patients that it had not seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.building import with_golden, write_bundle
from inference.bundle import Bundle
from inference.engines.ort import OrtEngine
from inference.engines.parity import GOLDEN_SET, golden_window
from inference.fmri.gradcam import Readout
from inference.image_spec import Sanity
from inference.manifest import AGGREGATIONS
from training.backbones import sanity
from training.backbones.backbone import Backbone
from training.backbones.catalogue import GRID, SIZE
from training.backbones.readout import readout_of
from training.bundles.bundling import known_evaluation
from training.bundles.digest import digest
from training.bundles.expected import expected_of, unlike
from training.bundles.placing import LICENCES, building, replace_bundle
from training.bundles.slice_card import slice_card
from training.bundles.slice_export import slice_graph
from training.bundles.slice_parity import SLICE_LOGIT_ATOL, pass_slice_parity
from training.cohort.cohort import Cohort
from training.data.slices import PatientSlices, prepare_slices
from training.evaluation.figures import THRESHOLD
from training.imaging.fold import model_name
from training.imaging.trainer import final_network
from training.runs.image_config import ImageConfig
from training.runs.predictions import Prediction, read_predictions
from training.runs.run_folder import RunFolder
from training.statistics.weighting import fit_curve, scored_rows

#: A scan is one observation: its number is there at once, and is not provisional.
N_MIN = N_READY = 1
#: Patients whose slices the parity is tried on beside the golden ones, and slices of each.
N_PROBED, N_OF_EACH = 3, 2
#: Patients of the sanity check, and slices of each, spread over the brain.
N_CHECKED, N_LEVELS = 4, 5
#: File of the readout's arrays.
HEAD = "head.npz"


@dataclass(frozen=True, eq=False)
class ImageSource:
    """All that a bundle of an image network is made of.

    Parameters
    ----------
    run : RunFolder
        The run.
    cohort : Cohort
        Its patients, unchanged since.
    config : ImageConfig
        Its settings.
    net, facts
        The final network, and what its fit says of it.
    train : sequence of PatientSlices
        The patients that it learned from.
    n_stop : int
        Patients that said when to stop.
    predictions : sequence of Prediction
        What the folds' networks of the same backbone say of slices.
    """

    run: RunFolder
    cohort: Cohort
    config: ImageConfig
    net: Backbone
    facts: Mapping[str, Any]
    train: Sequence[PatientSlices]
    n_stop: int
    predictions: Sequence[Prediction]

    @classmethod
    def of(cls, run: RunFolder) -> ImageSource:
        """Read a run and its cohort.

        Raises
        ------
        RunError
            If the run has no final network or no predictions, or its cohort or scans have changed since.
        FingerprintMismatch
            If its slices were prepared in another way than today's.
        CohortError, SplitError
            If the cohort or the splits cannot be read.
        """
        cohort, config = Cohort.open(run.cohort_folder), run.image_config
        run.check_resumable(cohort)
        net, facts = final_network(run)
        fold = run.splits.exported
        members = {*fold.train, *fold.stop}
        few = replace(cohort, participants=tuple(one for one in cohort.participants if one.id in members))
        slices = prepare_slices(few, config.preparation, workers=config.run.workers)
        run.check_unchanged(slices.values(), members)
        train, stop = (tuple(patient for patient in part if patient in slices) for part in (fold.train, fold.stop))
        model = model_name(net.name)
        rows = [row for row in read_predictions(run.predictions_path) if (row.model, row.unit) == (model, "slice")]
        return cls(run, cohort, config, net, facts, [slices[patient] for patient in train], len(stop), rows)


def bundle_of_fmri_run(run: RunFolder, out: Path, name: str = "", version: str = "") -> Bundle:
    """Make the bundle of a run on scans; one that is there is replaced when the new one is whole, never before.

    Parameters
    ----------
    run : RunFolder
        Trained to its end; with ``evaluation.json``, its figures stand on the card.
    out : Path
        The bundle's folder.
    name, version : str
        By default ``cnn-`` and the backbone, and the day on which the run was made.

    Returns
    -------
    Bundle
        Loaded and checked, with golden slices.

    Raises
    ------
    GateError
        If the graph is another network.
    BadEnvironment
        If the disk does not take it.
    RunError, CohortError, FingerprintMismatch
        If the run is not complete, its ``evaluation.json`` is none, or it belongs to another cohort or preparation.
    TrainingError
        If the folds' networks judged no patients of both outcomes.
    """
    evaluation, source = known_evaluation(run), ImageSource.of(run)
    name = name or model_name(source.net.name)
    graph = slice_graph(source.net).SerializeToString()
    differences = pass_slice_parity(source.net, graph, probes(source), name)
    readout = readout_of(source.net)
    checked = sanity.check(source.net, _checked(source), seed=source.config.run.seed)
    head = {"name": name, "version": version or run.record["made_utc"][:10].replace("-", ".")}
    manifest = head | _manifest(source, readout, checked, _training(source, differences))
    with building(out) as folder:
        made = _written(folder, manifest, graph, readout, evaluation)
        replace_bundle(made.path, made.manifest.head.files, out)
    return Bundle.load(out)


def slice_calibration(predictions: Sequence[Prediction], seed: int) -> dict[str, Any]:
    """Return what a manifest says under ``calibration``: a line for each aggregation.

    A scan's slices come all at once, so that there is one line of the patient's logit, fitted to patients.

    Parameters
    ----------
    predictions : sequence of Prediction
        Slices of patients that their networks had not seen; of one model.
    seed : int
        Of the draws.

    Raises
    ------
    TrainingError
        If there are none, or patients of one outcome only.
    """
    rows = scored_rows(predictions, unit="slice")
    one = np.ones(1)
    return {
        aggregation: fit_curve(
            [replace(row, logits=np.array([row.logit(None, aggregation)]), weights=one) for row in rows], seed
        )
        for aggregation in AGGREGATIONS
    }


def probes(source: ImageSource) -> NDArray[np.float32]:
    """Return the slices that the parity is tried on: the golden ones, and some of patients that trained."""
    golden = [golden_window(window, seed, (3, SIZE, SIZE)) for window, seed in GOLDEN_SET]
    return np.stack([*golden, *_spread(source.train[:N_PROBED], N_OF_EACH)])


def _checked(source: ImageSource) -> NDArray[np.float32]:
    return np.stack(_spread(source.train[:N_CHECKED], N_LEVELS))


def _spread(patients: Sequence[PatientSlices], n: int) -> list[NDArray[np.float32]]:
    """Return up to `n` slices of each patient, from the lowest to the highest."""
    return [
        np.array(patient.slices[i])
        for patient in patients
        for i in sorted(set(np.linspace(0, len(patient) - 1, n).round().astype(int).tolist()))
    ]


def _written(
    folder: Path, manifest: Mapping[str, Any], graph: bytes, readout: Readout, evaluation: Mapping[str, Any] | None
) -> Bundle:
    """Write the bundle once without golden slices, run them, and write it again."""
    (folder / "model.onnx").write_bytes(graph)
    (folder / "card.md").write_text(slice_card(manifest, evaluation), encoding="utf-8")
    readout.save(folder / HEAD)
    if evaluation is not None:
        (folder / "report.md").write_text(digest(evaluation), encoding="utf-8")
    write_bundle(folder, manifest)
    bundle = Bundle.load(folder)
    engine = OrtEngine(bundle)
    write_bundle(folder, with_golden(manifest, engine, bundle))
    engine.close()
    return Bundle.load(folder)


def _manifest(source: ImageSource, readout: Readout, checked: Sanity, training: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest without name, version, files and golden slices."""
    origin, features = source.run.record["origin"], source.net.architecture.n_features
    outputs = {"logit": ["n"], "features": ["n", features, GRID, GRID]}
    return {
        "kind": "fmri",
        "origin": origin,
        "licence": LICENCES[origin],
        "training": training,
        "inputs": [{"name": "slices", "shape": ["n", 3, SIZE, SIZE], "dtype": "float32"}],
        "outputs": [{"name": name, "shape": shape, "dtype": "float32"} for name, shape in outputs.items()],
        "aggregation": source.config.model.aggregation,
        "calibration": slice_calibration(source.predictions, source.config.run.seed),
        "n_min": N_MIN,
        "n_ready": N_READY,
        "threshold": THRESHOLD,
        "parity": {"logit_atol": SLICE_LOGIT_ATOL},
        "backbone": source.net.name,
        "preparation": source.config.preparation.to_json(),
        "scan": expected_of(source.train).to_json(),
        "cam": {"file": HEAD, "layers": list(readout.layers)},
        "sanity": asdict(checked),
    }


def _training(source: ImageSource, differences: Mapping[str, float]) -> dict[str, Any]:
    """Return what the manifest says of the run; nothing in it names a path or a patient."""
    run, record, architecture = source.run, source.run.record, source.net.architecture
    described = source.cohort.described
    return {
        "made_by": "flexion train fmri",
        "run": record["name"],
        "made_utc": record["made_utc"],
        "cohort": {key: record["cohort"][key] for key in ("name", "sha256", "patients", "with_scan", "good")},
        "described": {key: described[key] for key in ("effect", "seed") if key in described},
        "profile": run.splits.profile,
        "folds": len(run.splits.folds),
        "network": {"words": architecture.words, "library": architecture.library, "model": architecture.model},
        "initialised": source.net.initialised.to_json(),
        "choice": record["choices"][record["final"]["fold"]],
        "final": {
            "train": len(source.train),
            "stop": source.n_stop,
            "slices": sum(map(len, source.train)),
            "unlike": unlike(source.train, expected_of(source.train))._asdict(),
            **source.facts,
        },
        # A path says something of the machine; the file's name and hash are above.
        "config": source.config.flat() | {"model.weights": source.net.initialised.how},
        "parity_to_float64": dict(differences),
        "git": record["git"],
        "versions": record["versions"],
    }
