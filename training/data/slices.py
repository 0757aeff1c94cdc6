"""What an image network is shown of each patient: the bedside's own slices of the scan (law 1).

``<cohort>/derivatives/flexion/slices-<preparation>/<patient>_x-<what>.npy`` holds a patient's slices, to be mapped into
memory, and ``<patient>.npz`` beside it where they lie in the scan, and how good that is. Slices are made once and kept;
neither that nor the number of processes changes a bit. Of several scans the first at rest is taken: never pooled.
A patient whose scan the bedside would refuse, or abstain on, is left out: one scan is no reason to train on nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from inference.bundle import sha256_of_file
from inference.errors import ScanError
from inference.fmri.parameters import ScanParameters
from inference.fmri.preparation import PreparationSpec, Prepared, prepare
from inference.fmri.quality import Quality
from training.cohort.inherited import inherited, with_sidecar
from training.data.cache import SHORT, PatientCache, read_mapped, replace_with, write_mapped
from training.data.jobs import results
from training.watching import NOBODY

if TYPE_CHECKING:
    from training.cohort.cohort import Cohort
    from training.cohort.participants import Participant

#: Libraries whose version may change a pixel.
LIBRARIES = ("numpy", "scipy", "nibabel")


@dataclass(frozen=True, eq=False)
class PatientSlices:
    """The slices of one patient's scan that count, and the outcome.

    Parameters
    ----------
    patient : str
        Pseudonym.
    good : bool
        Whether the outcome was good.
    fma : float or None
        Fugl-Meyer points of the lower limb at follow-up.
    index : ndarray, shape (n,), int64
        Canonical slice of each, from below.
    level_mm : ndarray, shape (n,), float64
        Height of each in the scanner's coordinates.
    slices : ndarray, shape (n, 3, size, size), float32
        As a network takes them, mapped into memory: read on touch, shared between processes, not to be written.
    quality : Quality
        Of the scan; one with problems has no slices here, since the bedside abstains.
    parameters : ScanParameters
        How it was taken.
    fingerprint : str
        Of the preparation.
    scan_sha256 : str
        Of the scan's bytes.
    origin : str
        ``synthetic`` or ``clinical``: synthetic if the cohort or the scan is.
    """

    patient: str
    good: bool
    fma: float | None
    index: NDArray[np.int64] = field(repr=False)
    level_mm: NDArray[np.float64] = field(repr=False)
    slices: NDArray[np.float32] = field(repr=False)
    quality: Quality
    parameters: ScanParameters
    fingerprint: str
    scan_sha256: str
    origin: str

    def __len__(self) -> int:
        return len(self.index)

    @property
    def weights(self) -> NDArray[np.float64]:
        """What each slice counts among the patient's: all alike."""
        return np.ones(len(self))

    @property
    def sha256(self) -> str:
        """Hash of what a network learns from and is judged by; the slices follow from scan and preparation."""
        made = self.patient, self.good, self.fma, self.fingerprint, self.scan_sha256
        return hashlib.sha256(repr(made).encode() + self.index.tobytes()).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; of mapped slices where they lie, not a copy."""
        mapped = isinstance(self.slices, np.memmap)
        return self.__dict__ | ({"slices": Path(str(self.slices.filename))} if mapped else {})  # type: ignore[attr-defined]

    def __setstate__(self, state: dict[str, Any]) -> None:
        mapped = isinstance(state["slices"], Path)
        self.__dict__.update(state | ({"slices": read_mapped(state["slices"])} if mapped else {}))


@dataclass(frozen=True)
class LeftOut:
    """A patient whose scan must not be used.

    Parameters
    ----------
    patient : str
        Pseudonym.
    why : str
        In sentences: what the bedside would refuse it for, or why it would abstain.
    """

    patient: str
    why: str


class Watcher(Protocol):
    """Who is told how far the preparation is."""

    def begins(self, n_patients: int) -> None:
        """Hear how many patients there are."""

    def has(self, found: PatientSlices | LeftOut, made: bool) -> None:
        """Hear of the next one: the slices or why there are none, and whether that was found now or was kept."""


def prepare_slices(
    cohort: Cohort, spec: PreparationSpec, *, workers: int = 1, watcher: Watcher = NOBODY
) -> dict[str, PatientSlices]:
    """Return the slices of every patient who has a scan and an outcome, by pseudonym.

    A patient whose scan must not be used, or cannot be prepared, is told to the watcher and left out: the bedside
    would abstain, or refuse it.

    Parameters
    ----------
    cohort : Cohort
    spec : PreparationSpec
        How scans become slices.
    workers : int
        Processes; changes no bit.
    watcher : Watcher
        Is told how far it is.

    Raises
    ------
    CohortError
        If a sidecar at the cohort's top cannot be read.
    BadEnvironment
        If the disk does not take the slices, or a process was killed.
    """
    jobs = list(_jobs(cohort, spec))
    watcher.begins(len(jobs))
    prepared: dict[str, PatientSlices] = {}
    for found, made in results(jobs, workers, "slices"):
        watcher.has(found, made)
        if isinstance(found, PatientSlices):
            prepared[found.patient] = found
    return prepared


def slices_of(patient: PatientSlices) -> NDArray[np.float32]:
    """Return a patient's slices."""
    return patient.slices


def cache_folder(cohort_folder: Path, spec: PreparationSpec) -> Path:
    """Return where a cohort's slices are kept: a folder for each preparation."""
    return cohort_folder / "derivatives" / "flexion" / f"slices-{spec.fingerprint[:SHORT]}"


@dataclass(frozen=True)
class _Job:
    """One patient's slices to be prepared."""

    participant: Participant
    scan: Path
    said: bytes | None
    spec: PreparationSpec
    folder: Path
    origin: str

    def kept(self) -> PatientSlices | LeftOut | None:
        """Return the slices that were made before; None where they have to be made."""
        found = self._read(self._about())
        return None if found is None else _usable(found)

    def make(self) -> PatientSlices | LeftOut:
        """Make the slices and keep them, unless another process just did; a refusal is not kept."""
        with self._cache.alone(self.participant.id):
            about = self._about()
            found = self._read(about)
            if found is None:
                try:
                    with with_sidecar(self.scan, self.said) as scan:
                        prepared = prepare(scan, self.spec)
                except ScanError as error:
                    return LeftOut(self.participant.id, error.message)
                found = self._write(about, prepared)
            return _usable(found)

    @property
    def _cache(self) -> PatientCache:
        return PatientCache(self.folder, "slices")

    def _about(self) -> dict[str, Any]:
        """Return what the slices rest on."""
        beside = self.scan.with_name(self.scan.name.removesuffix(".gz").removesuffix(".nii") + ".json")
        about = {
            "scan": sha256_of_file(self.scan),
            "sidecar": sha256_of_file(beside) if beside.is_file() else None,
            "preparation": self.spec.fingerprint,
            "versions": {library: version(library) for library in LIBRARIES},
        }
        return about if self.said is None else about | {"inherited": hashlib.sha256(self.said).hexdigest()}

    def _read(self, about: Mapping[str, Any]) -> PatientSlices | None:
        cache, patient = self._cache, self.participant.id
        try:
            with np.load(cache.facts_of(patient), allow_pickle=False) as file:
                facts = json.loads(str(file["facts"]))
                if facts["about"] != json.loads(canonical_json(about)):
                    return None
                index, level_mm = file["index"], file["level_mm"]
            slices = read_mapped(cache.rows_of(patient, about))
            found = self._slices(about, facts, index, level_mm, slices)
        except (OSError, ValueError, TypeError, KeyError, EOFError, BadZipFile):  # there is none yet, or it is torn
            return None
        return found if len(found.slices) == len(found) else None

    def _write(self, about: Mapping[str, Any], prepared: Prepared) -> PatientSlices:
        n = 0 if prepared.quality.problems else len(prepared.indices)
        index, level_mm = prepared.indices[:n].astype(np.int64), prepared.level_mm[:n]
        facts = {
            "about": about,
            "quality": asdict(prepared.quality),
            "parameters": asdict(prepared.parameters),
            "origin": prepared.origin,
        }

        def save(file: IO[bytes]) -> None:
            np.savez(file, facts=np.array(canonical_json(facts)), index=index, level_mm=level_mm)

        cache, patient = self._cache, self.participant.id
        rows = cache.rows_of(patient, about)
        try:
            slices = write_mapped(rows, prepared.slices[:n])
            replace_with(cache.facts_of(patient), save)
            cache.drop_stale(patient, rows)
        except OSError as error:
            raise cache.refused(patient, error) from error
        return self._slices(about, json.loads(canonical_json(facts)), index, level_mm, slices)

    def _slices(
        self,
        about: Mapping[str, Any],
        facts: Mapping[str, Any],
        index: NDArray[np.int64],
        level_mm: NDArray[np.float64],
        slices: NDArray[np.float32],
    ) -> PatientSlices:
        good = self.participant.good
        assert good is not None
        return PatientSlices(
            patient=self.participant.id,
            good=good,
            fma=self.participant.outcome_fma,
            index=index,
            level_mm=level_mm,
            slices=slices,
            quality=Quality(**_tuples(facts["quality"])),
            parameters=ScanParameters(**_tuples(facts["parameters"])),
            fingerprint=about["preparation"],
            scan_sha256=about["scan"],
            origin="synthetic" if "synthetic" in (self.origin, facts["origin"]) else "clinical",
        )


def _jobs(cohort: Cohort, spec: PreparationSpec) -> Iterator[_Job]:
    folder = cache_folder(cohort.folder, spec)
    for participant in cohort.participants:
        scans = cohort.scans(participant.id) if participant.good is not None else ()
        if scans:
            said = inherited(cohort.folder, scans[0])
            yield _Job(participant, scans[0], said, spec, folder, cohort.origin)


def _usable(slices: PatientSlices) -> PatientSlices | LeftOut:
    return slices if len(slices) else LeftOut(slices.patient, " ".join(slices.quality.problems))


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what JSON made lists of as it was."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
