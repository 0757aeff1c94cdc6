"""A simulated cohort as a folder: the same files as a clinical one, stamped synthetic throughout (law 9).

The table of patients is written first, then patient by patient. Each file has its name only when it is whole, so an
interrupted cohort goes on where it stopped, and the number of processes changes no byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

from acquisition.durable import make_folder, replace_file
from acquisition.errors import BadEnvironment
from acquisition.montage import load_montage
from training.cohort.cohort import DESCRIPTION, OWN
from training.cohort.participants import TABLE, write_participants
from training.cohort.places import folder_of
from training.parent import end_with_parent, undisturbed
from training.simulated import bold, eeg_file
from training.simulated.phantom import ScanSpec
from training.simulated.roster import Member, roster_of
from training.simulated.spec import SynthError, SynthSpec
from training.watching import NOBODY

#: What a cohort of ours says of itself.
NAME = "Flexion synthetic cohort"


class Watcher(Protocol):
    """Hears how far a cohort is."""

    def begins(self, n_patients: int, n_kept: int) -> None:
        """Hear how many patients have files, and of how many of them they are there already."""

    def finished(self, patient: str) -> None:
        """Hear that all files of one more patient are there."""


def synthesise(folder: Path, spec: SynthSpec, watcher: Watcher = NOBODY, *, workers: int = 1) -> tuple[Member, ...]:
    """Write a simulated cohort, or the rest of one that was interrupted.

    Parameters
    ----------
    folder : Path
        Made where it does not exist; empty, or begun with the same settings.
    spec : SynthSpec
        What it is to be.
    watcher : Watcher
        Hears of the patients.
    workers : int
        Processes; they change no byte.

    Returns
    -------
    tuple of Member
        The patients of the cohort.

    Raises
    ------
    SynthError
        If the folder holds something else, or a cohort with other settings.
    BadEnvironment
        If there are to be scans and nibabel is not installed, or a process is killed.
    DiskFull
        If the disk takes no more; the same call goes on later.
    """
    if spec.bold:
        bold.load_nibabel()
    _begin(folder, spec)
    members = roster_of(spec)
    if not (folder / TABLE).exists():
        write_participants(folder / TABLE, [member.participant for member in members])
    with_files = [member for member in members if _files(folder, spec, member)]
    lacking = [member for member in with_files if _lacking(folder, spec, member)]
    watcher.begins(len(with_files), len(with_files) - len(lacking))
    for member in _written(folder, spec, lacking, workers):
        watcher.finished(member.id)
    return members


def recording_of(folder: Path, member: Member) -> Path:
    """Return where a patient's recording lies, or would."""
    own = folder_of(folder, member.id)
    return own / "eeg" / f"{own.name}_task-{eeg_file.TASK}_eeg.xdf"


def scan_of(folder: Path, member: Member) -> Path:
    """Return where a patient's scan lies, or would."""
    own = folder_of(folder, member.id)
    return own / "func" / f"{own.name}_task-{bold.TASK}_bold.nii.gz"


def write_member(folder: Path, spec: SynthSpec, member: Member) -> Member:
    """Write what is not there yet of one patient, and return him."""
    for path in _lacking(folder, spec, member):
        make_folder(path.parent)
        if path == scan_of(folder, member):
            bold.write_scan(path, member.patient, member.site, ScanSpec())
        else:
            eeg_file.write_recording(path, member.patient, spec.plan, spec.seconds, load_montage(spec.montage))
    return member


def _files(folder: Path, spec: SynthSpec, member: Member) -> list[Path]:
    """Return the files of a patient that are written last: what lies beside each is there before it."""
    eeg = [recording_of(folder, member)] if member.participant.has_eeg else []
    return [*eeg, scan_of(folder, member)] if spec.bold else eeg


def _lacking(folder: Path, spec: SynthSpec, member: Member) -> list[Path]:
    return [path for path in _files(folder, spec, member) if not path.exists()]


def _begin(folder: Path, spec: SynthSpec) -> None:
    """Make the folder and say what it is; refuse one that is something else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror}."
        raise SynthError(message, subject=str(folder), remedy="Name another folder.") from error
    description = folder / DESCRIPTION
    if not description.exists():
        _refuse_foreign(folder)
        replace_file(description, (json.dumps(_description(spec), indent=2) + "\n").encode())
    elif (begun := _settings_in(description)) != spec.to_json():
        raise _other(folder, begun, spec)


def _refuse_foreign(folder: Path) -> None:
    found = sorted(path.name for path in folder.iterdir() if path.name != DESCRIPTION + ".tmp")
    if found:
        message = f"{folder} is not empty: it holds {', '.join(found[:3])}{', ...' if len(found) > 3 else ''}."
        raise SynthError(message, subject=str(folder), remedy="Name a folder that is new or empty.")


def _other(folder: Path, begun: dict[str, Any] | None, spec: SynthSpec) -> SynthError:
    remedy = "Name another folder"
    if begun is None:
        message = f"{folder} holds a cohort that was not simulated."
        return SynthError(message, subject=str(folder), remedy=f"{remedy}.")
    asked = spec.to_json()
    unlike = [f"{key} {begun.get(key)} (asked: {value})" for key, value in asked.items() if begun.get(key) != value]
    message = f"{folder} holds a simulated cohort of other settings: {', '.join(unlike) or 'those of another version'}."
    return SynthError(message, subject=str(folder), remedy=f"{remedy}, or go on with the settings of this one.")


def _settings_in(description: Path) -> dict[str, Any] | None:
    """Return the settings of a simulated cohort; None where it is none of ours."""
    try:
        own = json.loads(description.read_text("utf-8"))[OWN]
        return dict(own["settings"]) if own["origin"] == "synthetic" else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _description(spec: SynthSpec) -> dict[str, Any]:
    return {
        "Name": f"{NAME} (effect {spec.effect}, seed {spec.seed})",
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "License": "Apache-2.0",
        "GeneratedBy": [{"Name": "Flexion", "Version": version("flexion")}],
        OWN: {
            "origin": "synthetic",
            "effect": spec.effect,
            "seed": spec.seed,
            "montage": spec.montage,
            "settings": spec.to_json(),
        },
    }


def _written(folder: Path, spec: SynthSpec, members: Sequence[Member], workers: int) -> Iterator[Member]:
    """Yield each patient when his files are there."""
    if workers == 1 or len(members) < 2:
        for member in members:
            yield write_member(folder, spec, member)
        return
    try:
        with ProcessPoolExecutor(workers, get_context("spawn"), end_with_parent) as pool:
            yield from _by_all(pool, folder, spec, members, workers)
    except BrokenProcessPool as error:
        message = "A process that wrote patients was killed, as happens where memory runs out."
        remedy = "Run the same command again, with fewer --workers: it goes on from here."
        raise BadEnvironment(message, subject=str(folder), remedy=remedy) from error


def _by_all(
    pool: ProcessPoolExecutor, folder: Path, spec: SynthSpec, members: Sequence[Member], workers: int
) -> Iterator[Member]:
    """Yield each patient when one of the processes has written him; after Ctrl-C those who were being written."""
    waiting = iter(members)
    jobs: set[Future[Member]] = set()
    try:
        while True:
            # Nobody is handed out before a process is free: a pool does not give back who waits in its queue.
            with undisturbed():
                free = islice(waiting, workers - len(jobs))
                jobs |= {pool.submit(write_member, folder, spec, member) for member in free}
            if not jobs:
                return
            done, jobs = wait(jobs, return_when=FIRST_COMPLETED)
            yield from (job.result() for job in done)
    except KeyboardInterrupt:
        yield from (job.result() for job in wait(jobs).done)
        raise
