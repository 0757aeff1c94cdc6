"""The folder of a run: what it was asked for, what it was made with, what came of it.

::

    runs/<UTC time>_<name>/
        config.toml         every setting in force
        splits.json         the folds that it trains
        run.json            what it was made from, by what, and how far it is
        metrics.csv         one row per epoch of each fold
        checkpoints/<fold>/ best.pt, last.pt
        predictions.csv     logits of every model for patients that it had not seen
        evaluation.json, report.html, figures/, bundle/
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, cast

from acquisition.durable import make_folder, replace_file
from acquisition.errors import BadEnvironment
from training.cohort.opening import SPEC
from training.errors import FingerprintMismatch, RunError
from training.file_lock import locked
from training.runs.config import Config, load_config
from training.runs.epoch_table import EpochTable, Value
from training.runs.fusion_config import FusionConfig, load_fusion_config
from training.runs.image_config import ImageConfig, load_image_config
from training.runs.versions import git_id, host, versions
from training.splitting.splits import Splits, read_splits

if TYPE_CHECKING:
    from training.cohort.cohort import Cohort
    from training.data.batches import Dealt

#: Settings of a run that trains networks, of either modality.
AnyConfig = Config | ImageConfig
SCHEMA = "flexion.run/1"
#: How far a run is: its folder exists; it trains (or was killed doing so); it was stopped by hand; it is done.
State = Literal["made", "training", "stopped", "done"]
#: What a run is trained on.
Modality = Literal["eeg_emg", "fmri", "fusion"]
#: Settings that may differ when a run goes on: they change no figure of the training.
FREE = ("run.workers", "evaluation.permutations", "evaluation.bootstrap")
#: Starts the name of a folder; sorts by time.
TIME_FORMAT = "%Y%m%dT%H%M%SZ"
#: Patients whom a refusal names.
N_NAMED = 5


@dataclass(frozen=True)
class RunFolder:
    """One run's folder; make it with :meth:`create`, find it again with :meth:`open`."""

    path: Path

    @classmethod
    def create(
        cls, out: Path, config: AnyConfig | FusionConfig, cohort: Cohort, splits: Splits, patients: Iterable[Dealt]
    ) -> RunFolder:
        """Make the folder of a new run.

        Parameters
        ----------
        out : Path
            Folder of all runs, made where it does not exist.
        config : Config, ImageConfig or FusionConfig
            Its settings, its name among them; they say of which modality it is.
        cohort : Cohort
            What it is trained on.
        splits : Splits
            How.
        patients : iterable of Dealt
            Windows or slices of everybody who was dealt; the run goes on, and is judged, with these alone.

        Raises
        ------
        BadEnvironment
            If the folder cannot be made.
        """
        made = datetime.now(UTC)
        run = cls(_new_folder(out, f"{made.strftime(TIME_FORMAT)}_{config.run.name}"))
        replace_file(run.config_path, config.to_toml().encode())
        replace_file(run.splits_path, _json(splits.to_json()))
        replace_file(run.record_path, _json(_record(run.path, made, config, cohort, splits, list(patients))))
        return run

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Find a run.

        Raises
        ------
        RunError
            If the folder is none of a run.
        ConfigError, SplitError
            If its settings or splits were changed into something that is none.
        """
        run = cls(path)
        if not run.record_path.is_file():
            raise _refusal(path, "is no run: it holds no run.json", "Name the folder below runs/ that holds one.")
        if run.record.get("schema") != SCHEMA:
            raise _refusal(path, f"has a run.json of schema {run.record.get('schema')!r}, not {SCHEMA}", _RESTORE)
        if missing := _missing(run.record):
            raise _refusal(path, f"has a run.json without {', '.join(missing)}", _RESTORE)
        _ = run.settings, run.splits
        return run

    @property
    def config_path(self) -> Path:
        """Settings in force."""
        return self.path / "config.toml"

    @property
    def splits_path(self) -> Path:
        """The folds."""
        return self.path / "splits.json"

    @property
    def record_path(self) -> Path:
        """What the run was made from and by."""
        return self.path / "run.json"

    @property
    def metrics_path(self) -> Path:
        """Losses of every epoch."""
        return self.path / "metrics.csv"

    @property
    def predictions_path(self) -> Path:
        """Logits for patients that the model had not seen."""
        return self.path / "predictions.csv"

    @property
    def evaluation_path(self) -> Path:
        """Figures."""
        return self.path / "evaluation.json"

    @property
    def report_path(self) -> Path:
        """Figures for people."""
        return self.path / "report.html"

    @property
    def figures_path(self) -> Path:
        """Folder of the report's drawings."""
        return self.path / "figures"

    @property
    def bundle_path(self) -> Path:
        """Folder of the exported bundle."""
        return self.path / "bundle"

    def checkpoints_path(self, fold: str) -> Path:
        """Folder of a fold's best and last network."""
        return self.path / "checkpoints" / fold

    @property
    def record(self) -> dict[str, Any]:
        """``run.json``.

        Raises
        ------
        RunError
            If it cannot be read.
        """
        try:
            record = json.loads(self.record_path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise _refusal(self.path, f"has a run.json that cannot be read: {error}", _RESTORE) from error
        if not isinstance(record, dict):
            raise _refusal(self.path, "has a run.json that is no object", _RESTORE)
        return record

    @property
    def modality(self) -> Modality:
        """What it is trained on."""
        return cast(Modality, self.record.get("modality", "eeg_emg"))

    @property
    def settings(self) -> AnyConfig | FusionConfig:
        """The settings in force, of any modality; ConfigError where the file is none."""
        return _LOADERS.get(self.modality, load_config)(self.config_path)

    @property
    def config(self) -> Config:
        """The settings in force of a run of EEG and EMG; ConfigError where the file is none."""
        return load_config(self.config_path)

    @property
    def image_config(self) -> ImageConfig:
        """The settings in force of a run of fMRI; ConfigError where the file is none."""
        return load_image_config(self.config_path)

    @property
    def splits(self) -> Splits:
        """The folds; SplitError where the file holds none."""
        return read_splits(self.splits_path)

    @property
    def cohort_folder(self) -> Path:
        """Where the cohort lay when it was last trained on; kept relative, so that both may move together.

        Raises
        ------
        RunError
            If there is no such folder any more.
        """
        folder = (self.path / self.record["cohort"]["path"]).resolve()
        if not folder.is_dir():
            remedy = f"Put it back, or say where it is: flexion evaluate {self.path} --cohort COHORT"
            raise _refusal(self.path, f"was made from the cohort in {folder}, which is not there", remedy)
        return folder

    def note(self, **facts: Any) -> None:
        """Put facts into ``run.json``, such as ``state``; a reader finds the old one or the new."""
        replace_file(self.record_path, _json({**self.record, **facts}))

    def note_cohort(self, cohort: Cohort) -> None:
        """Note where the cohort lies now."""
        self.note(cohort={**self.record["cohort"], "path": _path_to(cohort, self.path)})

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the run's only writer inside the block.

        Raises
        ------
        RunError
            If another process is.
        """
        try:
            with locked(self.path / "run.lock", wait=False):
                yield
        except BlockingIOError as error:
            raise _refusal(self.path, "is being written by another process", "Wait for it, or stop it.") from error

    def append_metrics(self, row: Mapping[str, Value]) -> None:
        """Add an epoch of a fold; see :class:`training.runs.epoch_table.EpochTable`."""
        EpochTable(self.metrics_path).append(row)

    def metrics(self) -> list[dict[str, str]]:
        """Return all epochs that were noted."""
        return EpochTable(self.metrics_path).rows()

    def check_cohort(self, cohort: Cohort) -> None:
        """Refuse another cohort than the run was made from; raises RunError."""
        if self.record["cohort"]["sha256"] != cohort.sha256:
            why = f"was made from cohort {self.record['cohort']['name']} as it was then, and {cohort.folder} differs"
            raise _refusal(self.path, why, "Restore participants.tsv, or start a new run.")

    def check_resumable(self, cohort: Cohort, config: AnyConfig | None = None) -> None:
        """Refuse to go on with something else than the run began with.

        Raises
        ------
        RunError
            If the cohort, or a setting that changes figures, is another one; names what.
        FingerprintMismatch
            If it was trained behind another conditioning than today's.
        """
        self.check_fingerprint()
        self.check_cohort(cohort)
        settings = self.settings
        mine, others = settings.flat(), (config or settings).flat()
        differing = [key for key in mine if key not in FREE and mine[key] != others.get(key)]
        if differing:
            words = ", ".join(f"{key} {mine[key]!r}, not {others.get(key)!r}" for key in differing)
            raise _refusal(self.path, f"was made with {words}", "Leave out --config, or start a new run.")

    def check_fingerprint(self) -> None:
        """Refuse a run behind another conditioning, or another preparation of scans; raises FingerprintMismatch."""
        of_scans = self.modality == "fmri"
        trained = self.record["fingerprint"]
        today = self.image_config.preparation.fingerprint if of_scans else SPEC.fingerprint
        if trained != today:
            what, done = ("preparation", "prepared") if of_scans else ("conditioning", "conditioned")
            raise FingerprintMismatch(
                f"{self.path} was trained behind {what} {trained[:12]}; today's is {today[:12]}.",
                subject=str(self.path),
                remedy=f"Train it again: a bundle scores only what was {done} as its training was.",
            )

    def check_unchanged(self, patients: Iterable[Dealt], among: Collection[str] | None = None) -> None:
        """Refuse other windows, slices or outcomes than the run began with.

        Parameters
        ----------
        patients : iterable of Dealt
            As they are today.
        among : collection of str, optional
            Patients who are looked at; by default all.

        Raises
        ------
        RunError
            If a patient has other ones, another score, or none any more; names the first of them.
        """
        then, now = self.record[_HASHES[self.modality]], {one.patient: one.sha256 for one in patients}
        asked = then.keys() | now.keys() if among is None else among
        different = sorted(patient for patient in asked if then.get(patient) != now.get(patient))
        if different:
            names = ", ".join(different[:N_NAMED]) + (", ..." if len(different) > N_NAMED else "")
            what = "scan" if self.modality == "fmri" else "recording"
            why = f"was made from another {what} or score of {len(different)} patients: {names}"
            raise _refusal(self.path, why, f"Restore participants.tsv and the {what}s, or start a new run.")


#: Of which modality a run is by its settings, and how they are read.
_MODALITIES: Mapping[type, Modality] = {Config: "eeg_emg", ImageConfig: "fmri", FusionConfig: "fusion"}
_LOADERS: Mapping[Modality, Callable[[Path], AnyConfig | FusionConfig]] = {
    "eeg_emg": load_config,
    "fmri": load_image_config,
    "fusion": load_fusion_config,
}
#: What of each patient a run is made from, in ``run.json``: a hash of it by pseudonym.
_HASHES: Mapping[Modality, str] = {"eeg_emg": "windows", "fmri": "scans"}
#: What every ``run.json`` has, and of which type; and what is known of the cohort in each.
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    "name": str, "made_utc": str, "state": str, "origin": str, "cohort": dict, "montage": str,
    "fingerprint": (str, NoneType), "git": (str, NoneType), "versions": dict,
    "host": dict, "seeds": dict,
}  # fmt: skip
_COHORT_KEYS = ("name", "sha256", "patients", "with_eeg", "good", "path")
_RESTORE = "Restore the file, or start a new run."


def _new_folder(out: Path, name: str) -> Path:
    """Make a folder that was not there; a second run of the same second gets a number."""
    make_folder(out)
    number = 1
    while True:
        path = out / (name if number == 1 else f"{name}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            number += 1
        except OSError as error:
            message = f"{path} cannot be made: {error.strerror}."
            raise BadEnvironment(message, subject=str(path), remedy="Name another folder with --out.") from error
        else:
            return path


def _record(
    path: Path,
    made: datetime,
    config: AnyConfig | FusionConfig,
    cohort: Cohort,
    splits: Splits,
    patients: Sequence[Dealt],
) -> dict[str, Any]:
    modality = _MODALITIES[type(config)]
    labelled = [participant for participant in cohort.participants if participant.good is not None]
    return {
        "schema": SCHEMA,
        "name": config.run.name,
        "modality": modality,
        "made_utc": made.isoformat(timespec="seconds"),
        "state": "made",
        "origin": cohort.origin,
        "cohort": {
            "name": cohort.name,
            "sha256": cohort.sha256,
            "patients": len(labelled),
            "with_eeg": sum(participant.has_eeg for participant in labelled),
            "good": sum(bool(participant.good) for participant in labelled),
            "path": _path_to(cohort, path),
        },
        "montage": Path(cohort.montage).stem,
        "fingerprint": next((one.fingerprint for one in patients), None),
        **({_HASHES[modality]: {one.patient: one.sha256 for one in patients}} if modality in _HASHES else {}),
        "git": git_id(),
        "versions": dict(versions()),
        "host": host(),
        "seeds": {"run": config.run.seed, "split": splits.seed},
    }


def _missing(record: Mapping[str, Any]) -> list[str]:
    """Return what a record lacks, or has as something else."""
    hashes = _HASHES.get(record.get("modality", "eeg_emg"))
    keys = {**_KEYS, hashes: dict} if hashes else _KEYS
    missing = [key for key, of in keys.items() if key not in record or not isinstance(record[key], of)]
    return missing or [f"cohort.{key}" for key in _COHORT_KEYS if key not in record["cohort"]]


def _path_to(cohort: Cohort, path: Path) -> str:
    return Path(os.path.relpath(cohort.folder.resolve(), path.resolve())).as_posix()


def _json(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _refusal(path: Path, why: str, remedy: str) -> RunError:
    return RunError(f"{path} {why}.", subject=str(path), remedy=remedy)
