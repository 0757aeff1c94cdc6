"""``flexion train fusion``: a run of EEG and EMG and one of fMRI become a run of their fusions, and its bundle.

Nothing is trained that sees a signal or a scan: both runs' out-of-fold logits are read, and weights are fitted to them.
Every network of the fMRI run is fused with the one of EEG and EMG, by every method; the bundle holds the method that
was asked for, with the network that the fMRI run's own bundle holds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.bundle import FusionBundle
from inference.fusion import weighing, weights_told
from inference.manifest import METHODS
from training.fusion.bundle import write_fusion
from training.fusion.fitting import Pair, dealt, in_parts, predictions_of
from training.fusion.sources import UNITS, Source, shared_cohort, shared_splits
from training.runs.fusion_config import FusionConfig, Method, load_fusion_config
from training.runs.predictions import Prediction, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits


def train_fusion(
    eeg_run: Path, fmri_run: Path, out: Path, *, method: Method = "logit_stack", name: str = "fusion"
) -> RunFolder:
    """Fuse the networks of two runs for patients that had no say, fit the weights of all, and make their bundle.

    Parameters
    ----------
    eeg_run, fmri_run : Path
        Done, on one cohort and one split, with their bundles.
    out : Path
        Folder of all runs.
    method : str
        Whose weights the bundle holds.
    name : str
        Of the run.

    Raises
    ------
    RunError
        If the runs do not belong together, or one is not done.
    TrainingError
        If they share too few patients.
    """
    sources = (Source.of(eeg_run, "eeg_emg"), Source.of(fmri_run, "fmri"))
    cohort = shared_cohort(*(source.run for source in sources))
    splits = shared_splits(*(source.run for source in sources))
    fusions = Fusions.of(sources, splits, method)
    run = RunFolder.create(out, _config(sources[0].run, splits, method, name), cohort, splits, ())
    with run.writing():
        write_predictions(run.predictions_path, fusions.predictions())
        bundle = _write(run, sources, fusions, run.bundle_path)
        facts = {
            "method": method,
            "parts": "folds" if fusions.part_of is None else "dealt",
            "runs": {source.modality: _said_of(source, run) for source in sources},
            "models": list(fusions.models()),
            "bundle": weighing(bundle.fusion),
        }
        run.note(fusion=facts, state="done")
    return run


def bundle_of_fusion_run(run: RunFolder, out: Path, name: str = "", version: str = "") -> FusionBundle:
    """Fit the weights of a run of fusions anew behind the bundles that its two runs have now, and write their bundle.

    A bundle that was exported again, with figures on its card, is another one, and fusion would be refused with it.

    Parameters
    ----------
    run : RunFolder
        That ``train_fusion`` made; the two runs lie where they lay.
    out : Path
        The bundle's folder.
    name, version : str
        By default ``fusion-`` and the image network, and the day on which the run was made.

    Raises
    ------
    RunError
        If a run is missing or does not fit any more.
    """
    made = run.record["fusion"]
    paths = [(run.path / made["runs"][modality]["path"]).resolve() for modality in UNITS]
    sources = (Source.of(paths[0], "eeg_emg"), Source.of(paths[1], "fmri"))
    shared_cohort(*(source.run for source in sources))
    splits = shared_splits(*(source.run for source in sources))
    return _write(run, sources, Fusions.of(sources, splits, made["method"]), out, name, version)


@dataclass(frozen=True, eq=False)
class Fusions:
    """Every network of the fMRI run beside the one of EEG and EMG.

    Parameters
    ----------
    method : str
        That was asked for.
    part_of : mapping of str to int or None
        Parts of the patients where the splits have one fold; None where the folds are the parts.
    pairs : mapping of str to Pair
        By the name of the image network.
    exported : Pair
        The two networks that the bundles hold.
    baselines : tuple of Prediction
        Of the same patients, as the run of EEG and EMG has them.
    """

    method: str
    part_of: Mapping[str, int] | None
    pairs: Mapping[str, Pair]
    exported: Pair
    baselines: tuple[Prediction, ...]

    @classmethod
    def of(cls, sources: tuple[Source, Source], splits: Splits, method: str) -> Fusions:
        """Pair the networks of two runs on the folds that both have."""
        kept = {(fold.repeat, fold.fold) for fold in splits.folds}
        part_of = dealt(splits.strata, splits.folds[0].test, splits.seed) if len(splits.folds) == 1 else None
        rows = [[row for row in source.predictions if (row.repeat, row.fold) in kept] for source in sources]
        if part_of is not None:
            rows = [in_parts(some, part_of) for some in rows]
        eeg_emg = sources[0].scores(sources[0].exported, rows[0])
        pairs = {model: Pair.of(eeg_emg, sources[1].scores(model, rows[1])) for model in sources[1].models}
        members = {patient for pair in pairs.values() for patient in pair.patients}
        networks = set(sources[0].models)
        others = (row for row in rows[0] if row.unit == "patient" and row.model not in networks)
        of_both = tuple(row for row in others if row.patient in members)
        return cls(method, part_of, pairs, pairs[sources[1].exported], of_both)

    @property
    def methods(self) -> list[str]:
        """All methods, the one that was asked for first."""
        return sorted(METHODS, key=lambda method: method != self.method)

    def name_of(self, fmri: str, method: str) -> str:
        """Return what tables call a fusion."""
        name = f"{fmri} + {self.exported.eeg_emg.model}"
        return name if method == self.method else f"{name}, {method}"

    def models(self) -> Iterator[dict[str, Any]]:
        """Yield what each model is: fusions with their weights, the same by another method, heads alone."""
        for fmri, pair in self.pairs.items():
            for method in self.methods:
                yield {
                    "name": self.name_of(fmri, method),
                    "kind": "fusion" if method == self.method else "variant",
                    "method": method,
                    "heads": [pair.eeg_emg.model, fmri],
                    "weights": weights_told(*pair.weigh(method)),
                }
        for head in (self.exported.eeg_emg.model, *self.pairs):
            yield {"name": head, "kind": "head"}

    def predictions(self) -> list[Prediction]:
        """Return the calibrated log-odds of every fusion and every head, and the baselines' logits."""
        fma = {row.patient: row.fma for row in self.baselines}
        rows = list(predictions_of(self.exported.eeg_emg.model, self.exported.alone()[0], self.exported, fma))
        for fmri, pair in self.pairs.items():
            rows += predictions_of(fmri, pair.alone()[1], pair, fma)
            for method in self.methods:
                rows += predictions_of(self.name_of(fmri, method), pair.cross_fitted(method), pair, fma)
        return [*rows, *self.baselines]


def _config(eeg_emg: RunFolder, splits: Splits, method: Method, name: str) -> FusionConfig:
    """Return the settings of a run of fusions: those of its run of EEG and EMG, the repeats that both have."""
    settings = eeg_emg.config
    kept = {key: value for key, value in settings.flat().items() if key.startswith(("split.", "evaluation."))}
    if splits.profile == "nested":
        kept["split.repeats"] = len({fold.repeat for fold in splits.folds})
    flags = {"run.name": name, "run.seed": settings.run.seed, "fusion.method": method}
    return load_fusion_config(flags=kept | flags)


def _write(
    run: RunFolder, sources: tuple[Source, Source], fusions: Fusions, out: Path, name: str = "", version: str = ""
) -> FusionBundle:
    bundles, seed = (sources[0].bundle, sources[1].bundle), run.record["seeds"]["run"]
    named = {key: value for key, value in {"name": name, "version": version}.items() if value}
    return write_fusion(out, fusions.exported, fusions.method, bundles, _head(run, sources, fusions) | named, seed)


def _head(run: RunFolder, sources: tuple[Source, Source], fusions: Fusions) -> dict[str, Any]:
    """Return name, version and making of the bundle; nothing in it names a path or a patient."""
    record, fmri = run.record, sources[1]
    training = {
        "made_by": "flexion train fusion",
        "run": record["name"],
        "made_utc": record["made_utc"],
        "runs": {source.modality: source.run.record["name"] for source in sources},
        "cohort": {key: record["cohort"][key] for key in ("name", "sha256")},
        "profile": run.splits.profile,
        "patients": len(fusions.exported.patients),
        "good": int(fusions.exported.good.sum()),
        "git": record["git"],
        "versions": record["versions"],
    }
    version = record["made_utc"][:10].replace("-", ".")
    return {"name": f"fusion-{fmri.exported.removeprefix('cnn-')}", "version": version, "training": training}


def _said_of(source: Source, run: RunFolder) -> dict[str, Any]:
    path = Path(os.path.relpath(source.run.path.resolve(), run.path.resolve())).as_posix()
    return {"name": source.run.path.name, "path": path, "bundle": source.bundle.to_json()}
