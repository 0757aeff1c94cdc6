"""A folder of what was made of patients, so that it is made once; may be deleted at any time.

A file takes its name when it is whole, and one process at a time makes a patient's.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from acquisition.errors import BadEnvironment
from training.file_lock import locked

#: Digits of a hash in a name.
SHORT = 12


class PatientCache:
    """What is kept of a cohort's patients on disk.

    Parameters
    ----------
    folder : Path
        Of all that was made in one way; made when something is written.
    what : str
        Which is kept, for a refusal.
    """

    def __init__(self, folder: Path, what: str) -> None:
        self.folder, self.what = folder, what

    @contextmanager
    def alone(self, patient: str) -> Iterator[None]:
        """Let no other process make this patient's meanwhile; one that does is waited for.

        Raises
        ------
        BadEnvironment
            If the folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self.refused(patient, error) from error
        with locked(self.folder / f"{patient}.lock"):
            yield

    def refused(self, patient: str, error: OSError) -> BadEnvironment:
        """Return what to say of a disk that does not take a patient's."""
        message = f"{self.folder} does not take the {self.what} of patient {patient}: {error.strerror or error}."
        remedy = "Make room there, or train on a copy of the cohort in a folder that can be written."
        return BadEnvironment(message, subject=str(self.folder), remedy=remedy)

    def facts_of(self, patient: str) -> Path:
        """Return the file of what is small, and of what it rests on."""
        return self.folder / f"{patient}.npz"

    def rows_of(self, patient: str, about: Mapping[str, Any]) -> Path:
        """Return the file of what is large, to be mapped into memory."""
        what = hashlib.sha256(canonical_json(about).encode()).hexdigest()[:SHORT]
        return self.folder / f"{patient}_x-{what}.npy"

    def drop_stale(self, patient: str, kept: Path) -> None:
        """Delete a patient's large files but one."""
        for stale in set(self.folder.glob(f"{patient}_x-*")) - {kept}:
            stale.unlink()


def write_mapped(path: Path, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Write an array and return it as it lies on disk."""
    replace_with(path, lambda file: np.save(file, x))
    return read_mapped(path)


def read_mapped(path: Path) -> NDArray[np.float32]:
    """Return an array as it lies on disk: read on touch, not to be written."""
    return cast(NDArray[np.float32], np.load(path, mmap_mode="r"))


def replace_with(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a whole file under another name, then give it its own; what a crash leaves is overwritten."""
    temporary = path.with_name(f"{path.name}.tmp")
    with open(temporary, "wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
