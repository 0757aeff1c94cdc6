"""Where a patient's windows are kept, so that the chain takes each recording once; may be deleted at any time.

``<cohort>/derivatives/flexion/<conditioning>-<bank>/<patient>.npz`` holds tokens and weights, and what they rest on;
``<patient>_x-<what>.npy`` beside it the z-scored windows, to be mapped into memory. A file takes its name when it is
whole, and one process at a time makes a patient's. What is torn, or rests on something else, is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from training.data.cache import SHORT, PatientCache, read_mapped, replace_with, write_mapped
from training.errors import FingerprintMismatch


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


class WindowCache(PatientCache):
    """The windows of a cohort's patients on disk.

    Parameters
    ----------
    folder : Path
        Of one conditioning and one bank; made when something is written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "windows")

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
            with np.load(self.facts_of(patient), allow_pickle=False) as file:
                found = json.loads(str(file["about"]))
                _check_fingerprint(patient, found, about, self.folder)
                if found != json.loads(canonical_json(about)):
                    return None
                x = read_mapped(self.rows_of(patient, about)) if raw else None
                n_made, n_uncalibrated = file["counts"].tolist()
                kept = Kept(file["tokens"], file["weights"], file["index"], n_made, n_uncalibrated, x)
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # there is none yet, or it is torn
            return None
        return kept if x is None or len(x) == len(kept.tokens) else None

    def write(self, patient: str, about: Mapping[str, Any], kept: Kept) -> Kept:
        """Keep a patient's windows; return them with the large ones mapped into memory. Only inside ``alone``.

        Raises
        ------
        BadEnvironment
            If the disk does not take them.
        """
        windows = self.rows_of(patient, about)
        try:
            x = None if kept.x is None else write_mapped(windows, kept.x)
            replace_with(self.facts_of(patient), partial(_save, kept=kept, about=canonical_json(about)))
            self.drop_stale(patient, windows)
        except OSError as error:
            raise self.refused(patient, error) from error
        return replace(kept, x=x)


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
