"""Where a patient's windows are kept, so that the chain takes each recording once; may be deleted at any time.

``<cohort>/derivatives/flexion/<conditioning>-<bank>/<patient>.npz`` holds tokens and weights, and what they rest on;
``<patient>_x-<what>.npy`` beside it the z-scored windows, to be mapped into memory. A file takes its name when it is
whole, and one process at a time makes a patient's. What is torn, or rests on something else, is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from acquisition.errors import BadEnvironment
from training.errors import FingerprintMismatch
from training.file_lock import locked

#: Digits of a hash in a name.
SHORT = 12


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of one recording: the windows that have a weight.

    Parameters
    ----------
    tokens : ndarray, shape (n, n_steps, n_tokens), float32
        Band tokens.
    weights : ndarray, shape (n,), float64
        From the quality of each.
    index : ndarray, shape (n,), int64
        Of each in the session, which counts all windows.
    n_made, n_uncalibrated : int
        Windows that the recording has; those among the n that are flagged ``uncalibrated``.
    x : ndarray, shape (n, n_samples, n_channels), float32, optional
        Z-scored.
    """

    tokens: NDArray[np.float32]
    weights: NDArray[np.float64]
    index: NDArray[np.int64]
    n_made: int
    n_uncalibrated: int
    x: NDArray[np.float32] | None = None


class WindowCache:
    """The windows of a cohort's patients on disk.

    Parameters
    ----------
    folder : Path
        Of one conditioning and one bank; made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, patient: str, about: Mapping[str, Any], *, raw: bool) -> Kept | None:
        """Return what is kept of a patient, or None if it has to be made.

        Parameters
        ----------
        patient : str
        about : mapping
            What the windows rest on, as JSON values.
        raw : bool
            Whether the windows themselves are wanted beside the tokens.

        Raises
        ------
        FingerprintMismatch
            If another conditioning made it: somebody put it there.
        """
        try:
            with np.load(self._tokens_of(patient), allow_pickle=False) as file:
                found = json.loads(str(file["about"]))
                _check_fingerprint(patient, found, about, self.folder)
                if found != json.loads(canonical_json(about)):
                    return None
                x = np.load(self._windows_of(patient, about), mmap_mode="r") if raw else None
                n_made, n_uncalibrated = file["counts"].tolist()
                kept = Kept(file["tokens"], file["weights"], file["index"], n_made, n_uncalibrated, x)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # there is none yet, or it is torn
            return None
        return kept if x is None or len(x) == len(kept.tokens) else None

    @contextmanager
    def alone(self, patient: str) -> Iterator[None]:
        """Let no other process make this patient's windows meanwhile; one that does is waited for.

        Raises
        ------
        BadEnvironment
            If the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._refused(patient, error) from error
        with locked(self.folder / f"{patient}.lock"):
            yield

    def write(self, patient: str, about: Mapping[str, Any], kept: Kept) -> Kept:
        """Keep a patient's windows; return them with the large ones mapped into memory. Only inside ``alone``.

        Raises
        ------
        BadEnvironment
            If the disk does not take them.
        """
        windows = self._windows_of(patient, about)
        try:
            x = None if kept.x is None else self._map(windows, kept.x)
            _replace(self._tokens_of(patient), partial(_save, kept=kept, about=canonical_json(about)))
            for stale in set(self.folder.glob(f"{patient}_x-*")) - {windows}:
                stale.unlink()
        except OSError as error:
            raise self._refused(patient, error) from error
        return replace(kept, x=x)

    @staticmethod
    def _map(path: Path, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """Write windows and return them as they lie on disk."""
        _replace(path, lambda file: np.save(file, x))
        return cast(NDArray[np.float32], np.load(path, mmap_mode="r"))

    def _refused(self, patient: str, error: OSError) -> BadEnvironment:
        message = f"{self.folder} does not take the windows of patient {patient}: {error.strerror or error}."
        remedy = "Make room there, or train on a copy of the cohort in a folder that can be written."
        return BadEnvironment(message, subject=str(self.folder), remedy=remedy)

    def _tokens_of(self, patient: str) -> Path:
        return self.folder / f"{patient}.npz"

    def _windows_of(self, patient: str, about: Mapping[str, Any]) -> Path:
        what = hashlib.sha256(canonical_json(about).encode()).hexdigest()[:SHORT]
        return self.folder / f"{patient}_x-{what}.npy"


def _check_fingerprint(patient: str, found: Mapping[str, Any], about: Mapping[str, Any], folder: Path) -> None:
    if found["fingerprint"] != about["fingerprint"]:
        message = (
            f"The kept windows of patient {patient} were conditioned as {found['fingerprint'][:SHORT]}; "
            f"training conditions as {about['fingerprint'][:SHORT]}."
        )
        raise FingerprintMismatch(message, subject=patient, remedy=f"Delete {folder}: its windows are then made anew.")


def _save(file: IO[bytes], kept: Kept, about: str) -> None:
    counts = np.array([kept.n_made, kept.n_uncalibrated])
    np.savez(file, about=np.array(about), counts=counts, tokens=kept.tokens, weights=kept.weights, index=kept.index)


def _replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a whole file under another name, then give it its own; what a crash leaves is overwritten."""
    temporary = path.with_name(f"{path.name}.tmp")
    with open(temporary, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
