"""Sources: the two runs whose networks are fused, and the folds that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inference.bundle import MANIFEST, Bundle
from training.cohort.cohort import Cohort
from training.errors import RunError
from training.evaluation.scores import Scores
from training.runs.predictions import CHOSEN, Prediction, read_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits

#: What the networks of a run score, and the words for it.
UNITS = {"eeg_emg": ("window", "EEG and EMG"), "fmri": ("slice", "fMRI")}


@dataclass(frozen=True, eq=False)
class Source:
    """One of the two runs.

    Parameters
    ----------
    modality : str
        ``eeg_emg`` or ``fmri``.
    run : RunFolder
        Done.
    predictions : tuple of Prediction
        Of every model.
    bundle : Bundle
        Of its final network.
    """

    modality: str
    run: RunFolder
    predictions: tuple[Prediction, ...]
    bundle: Bundle

    @classmethod
    def of(cls, path: Path, modality: str) -> Source:
        """Read a run.

        Raises
        ------
        RunError
            If it is not done, is no run of that modality, has no bundle, or one of another network.
        BundleError
            If its bundle cannot be trusted.
        """
        run = RunFolder.open(path)
        if not run.predictions_path.is_file():
            state = run.record.get("state", "unknown")
            raise refusal(path, f"has no predictions.csv: its state is {state}, not done", "Finish it with --resume.")
        predictions = read_predictions(run.predictions_path)
        unit, words = UNITS[modality]
        if all(row.unit != unit for row in predictions):
            raise refusal(path, f"is no run of {words}", "Name the run of EEG and EMG first, the one of fMRI second.")
        if not (run.bundle_path / MANIFEST).is_file():
            raise refusal(path, "has no bundle to fuse", f"Make it: flexion models export {path}.")
        source = cls(modality, run, tuple(predictions), Bundle.load(run.bundle_path))
        if not source.exported:
            names = ", ".join(source.models)
            raise refusal(path, f"has a bundle of none of its networks ({names})", "Export its bundle anew.")
        return source

    @property
    def models(self) -> list[str]:
        """The networks' names in the predictions: those that the folds chose, that of the bundle, the others."""
        unit = UNITS[self.modality][0]
        names = {row.model for row in self.predictions if row.unit == unit or row.model == CHOSEN}
        return sorted(names, key=lambda name: (name != CHOSEN, name != self.exported, name))

    @property
    def exported(self) -> str:
        """The bundle's network by its name in the predictions; empty where it is not among them."""
        unit = UNITS[self.modality][0]
        names = {row.model for row in self.predictions if row.unit == unit}
        image = self.bundle.model.image
        if self.modality == "fmri":
            names &= {f"cnn-{image.backbone}"} if image is not None else set()
        return names.pop() if len(names) == 1 else ""

    def scores(self, model: str, rows: Sequence[Prediction]) -> Scores:
        """Return a network's scores from some rows, a patient's logit as the bundle makes it."""
        return Scores.of(rows, model, self.bundle.model.aggregation)


def shared_splits(eeg_emg: RunFolder, fmri: RunFolder) -> Splits:
    """Return the folds that both runs have; one of fewer repeats has the first of the other's.

    Raises
    ------
    RunError
        If they were dealt otherwise: who trained one network could be judged by the other.
    """
    fewer, more = sorted((eeg_emg.splits, fmri.splits), key=lambda splits: len(splits.folds))
    dealt = [(splits.profile, splits.seed, splits.cohort_sha256) for splits in (fewer, more)]
    if dealt[0] != dealt[1] or fewer.folds != more.folds[: len(fewer.folds)]:
        why = f"has other splits than {eeg_emg.path}: who trained one network could be judged by the other"
        raise refusal(fmri.path, why, "Train both on one cohort, with its one splits.json and one profile.")
    return fewer


def shared_cohort(eeg_emg: RunFolder, fmri: RunFolder) -> Cohort:
    """Return the cohort of both runs.

    Raises
    ------
    RunError
        If it is not one, or has changed since.
    CohortError
        If it cannot be read.
    """
    cohort = Cohort.open(eeg_emg.cohort_folder)
    for run in (eeg_emg, fmri):
        if run.record["cohort"]["sha256"] != cohort.sha256:
            why = f"was made from cohort {run.record['cohort']['name']} as it was then, and {cohort.folder} differs"
            raise refusal(run.path, why, "Restore participants.tsv, or train both runs on one cohort.")
    return cohort


def refusal(path: Path, why: str, remedy: str) -> RunError:
    """Return the error that says what is wrong with a run; the caller raises it."""
    return RunError(f"{path} {why}.", subject=str(path), remedy=remedy)
