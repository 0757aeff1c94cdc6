"""What a network is shown of each patient: the bedside's own windows, gated and weighted as at the bedside (law 1).

A window without weight is left out, a bad channel is zeros, the start before the calibration is part of it. Windows
are made once and kept (``window_cache``); neither that nor the number of processes changes a bit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import scipy
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from acquisition.errors import RecordingError
from acquisition.montage import Montage, load_montage
from acquisition.windowing import Window
from inference import normalisation
from training.cohort.opening import SPEC, Opened, open_place, rests_on, windows_of
from training.data import tokens as bank
from training.data.cache import SHORT
from training.data.jobs import results
from training.data.window_cache import Kept, WindowCache
from training.watching import NOBODY

if TYPE_CHECKING:
    from training.cohort.cohort import Cohort
    from training.cohort.participants import Participant
    from training.cohort.places import Place

#: Digits of the bank's hash in a folder's name.
SHORT_BANK = 8


@dataclass(frozen=True, eq=False)
class PatientWindows:
    """The windows of one patient that have a weight, and the outcome.

    Parameters
    ----------
    patient : str
        Pseudonym.
    good : bool
        Whether the outcome was good.
    fma : float or None
        Fugl-Meyer points of the lower limb at follow-up.
    weights : ndarray, shape (n,), float64
        From the quality of each window; all above 0.
    index : ndarray, shape (n,), int64
        Of each in the recording, which counts all windows.
    n_made : int
        Windows that the recording has.
    n_uncalibrated : int
        How many of the n the artifact stage had not been calibrated for.
    tokens : ndarray, shape (n, n_steps, n_channels * n_bands), float32
        Band tokens of each.
    x : ndarray, shape (n, n_samples, n_channels), float32, or None
        Z-scored windows, mapped into memory: read on touch, shared between processes, not to be written.
    fingerprint : str
        Of the conditioning.
    mains_hz : float
        Mains frequency of the notch.
    recording_sha256 : str
        Of the recording's bytes.
    origin : str
        ``synthetic`` or ``clinical``.
    """

    patient: str
    good: bool
    fma: float | None
    weights: NDArray[np.float64] = field(repr=False)
    index: NDArray[np.int64] = field(repr=False)
    n_made: int
    n_uncalibrated: int
    tokens: NDArray[np.float32] = field(repr=False)
    x: NDArray[np.float32] | None = field(repr=False)
    fingerprint: str
    mains_hz: float
    recording_sha256: str
    origin: str

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def sha256(self) -> str:
        """Hash of what a network learns from and is judged by; tokens and samples follow from the recording."""
        made = self.patient, self.good, self.fma, self.fingerprint, self.mains_hz, self.recording_sha256, self.n_made
        return hashlib.sha256(repr(made).encode() + self.weights.tobytes() + self.index.tobytes()).hexdigest()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; of mapped windows where they lie, not a copy."""
        return self.__dict__ | ({"x": Path(str(self.x.filename))} if isinstance(self.x, np.memmap) else {})

    def __setstate__(self, state: dict[str, Any]) -> None:
        mapped = isinstance(state["x"], Path)
        self.__dict__.update(state | ({"x": np.load(state["x"], mmap_mode="r")} if mapped else {}))


class Watcher(Protocol):
    """Who is told how far the preparation is."""

    def begins(self, n_patients: int) -> None:
        """Hear how many patients there are."""

    def has(self, windows: PatientWindows, made: bool) -> None:
        """Hear of the next one: whether the windows were made now or were kept; there may be none with a weight."""


def prepare(
    cohort: Cohort, *, raw: bool = False, workers: int = 1, watcher: Watcher = NOBODY
) -> dict[str, PatientWindows]:
    """Return the windows of every patient who has a recording and an outcome, by pseudonym.

    A patient whose recording has no window with a weight is told to the watcher and left out: the bedside abstains.

    Parameters
    ----------
    cohort : Cohort
    raw : bool
        Whether the z-scored windows are wanted beside the tokens: 34 MB of disk for nine minutes of 16 channels.
    workers : int
        Processes; changes no bit.
    watcher : Watcher
        Is told how far it is.

    Raises
    ------
    RecordingError, MontageError, UnitError, RateError
        If a recording is not there, cannot be read or does not fit.
    FingerprintMismatch
        If another conditioning made a session or what is kept.
    BadEnvironment
        If the disk does not take the windows, or a process was killed.
    """
    jobs = list(_jobs(cohort, raw))
    watcher.begins(len(jobs))
    prepared: dict[str, PatientWindows] = {}
    for windows, made in results(jobs, workers, "windows"):
        watcher.has(windows, made)
        if len(windows):
            prepared[windows.patient] = windows
    return prepared


def cache_folder(cohort_folder: Path) -> Path:
    """Return where a cohort's windows are kept: a folder for each conditioning and bank."""
    return cohort_folder / "derivatives" / "flexion" / f"{SPEC.fingerprint[:SHORT]}-{bank_sha256()[:SHORT_BANK]}"


def bank_sha256() -> str:
    """Return the hash of everything that decides a token but the window."""
    whole = asdict(bank.BankSpec()) | {
        "algorithm": bank.ALGORITHM, "bands_hz": bank.BANDS_HZ, "mains_hz": bank.MAINS_HZ,
        "lobe_bins": bank.LOBE_BINS, "floor": bank.FLOOR,
    }  # fmt: skip
    return hashlib.sha256(canonical_json(whole).encode()).hexdigest()


def kept_of(opened: Opened, *, raw: bool) -> Kept:
    """Return what is kept of a recording, from its windows.

    Parameters
    ----------
    opened : Opened
    raw : bool
        Whether the z-scored windows are kept beside the tokens.
    """
    n_made, n_uncalibrated = 0, 0
    x, tokens, weights, index = [], [], [], []
    for window in windows_of(opened):
        n_made += 1
        if not counts(window):
            continue
        z = normalisation.zscore(window.x_uv, window.channel_quality)
        if raw:
            x.append(z)
        tokens.append(bank.tokens(z[np.newaxis])[0])
        weights.append(window.weight)
        index.append(window.index)
        n_uncalibrated += "uncalibrated" in window.flags
    steps = bank.BankSpec().n_steps(SPEC.window.n_samples)
    shape = (steps, opened.montage.n_channels * bank.N_BANDS)
    return Kept(
        np.array(tokens, np.float32).reshape(-1, *shape),
        np.array(weights, np.float64),
        np.array(index, np.int64),
        n_made,
        n_uncalibrated,
        np.array(x, np.float32).reshape(-1, SPEC.window.n_samples, opened.montage.n_channels) if raw else None,
    )


def counts(window: Window) -> bool:
    """Tell whether a window is scored at the bedside: it has a weight, and no sample that is not a number."""
    return window.weight > 0.0 and bool(np.isfinite(window.x_uv).all())


@dataclass(frozen=True)
class _Job:
    """One patient's windows to be prepared."""

    participant: Participant
    place: Place
    montage: Montage
    folder: Path
    origin: str
    raw: bool

    def kept(self) -> PatientWindows | None:
        """Return the windows that were made before; None where they have to be made."""
        about = self._about()
        kept = self._cache.read(self.participant.id, about, raw=self.raw)
        return None if kept is None else self._windows(kept, about)

    def make(self) -> PatientWindows:
        """Make the windows and keep them, unless another process just did."""
        with self._cache.alone(self.participant.id):
            windows = self.kept()
            if windows is not None:
                return windows
            made = kept_of(open_place(self.place, self.montage), raw=self.raw)
            about = self._about()  # with the decisions that were taken just now
            return self._windows(self._cache.write(self.participant.id, about, made), about)

    @property
    def _cache(self) -> WindowCache:
        return WindowCache(self.folder)

    def _about(self) -> dict[str, Any]:
        zscore = [normalisation.ALGORITHM, normalisation.FLAT_SD_UV, normalisation.MIN_CHANNEL_QUALITY]
        versions = {"numpy": np.__version__, "scipy": scipy.__version__}
        own = {"zscore": zscore, "bank": bank_sha256(), "versions": versions}
        return rests_on(self.place, self.montage) | own

    def _windows(self, kept: Kept, about: dict[str, Any]) -> PatientWindows:
        good = self.participant.good
        assert good is not None
        return PatientWindows(
            patient=self.participant.id,
            good=good,
            fma=self.participant.outcome_fma,
            fingerprint=about["fingerprint"],
            mains_hz=about["mains_hz"],
            recording_sha256=about["recording"],
            origin=self.origin,
            **vars(kept),
        )


def _jobs(cohort: Cohort, raw: bool) -> Iterator[_Job]:
    montage, folder = load_montage(cohort.montage), cache_folder(cohort.folder)
    for participant in cohort.participants:
        if not participant.has_eeg or participant.good is None:
            continue
        place = cohort.place_of(participant.id)
        if place is None:
            message = f"Patient {participant.id} has no recording in {cohort.folder}; its table says has_eeg."
            raise RecordingError(message, subject=participant.id, remedy="Put it there, or write false.")
        yield _Job(participant, place, montage, folder, cohort.origin, raw)
