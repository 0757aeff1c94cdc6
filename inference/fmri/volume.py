"""A scan: what its header says, and its volumes one after the other, right, front and top up.

Memory does not grow with the length of a scan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.fmri.parameters import ScanParameters

#: What a simulated scan's header says of itself (law 9).
SIMULATED = b"simulated by Flexion: no patient"


@dataclass(frozen=True, eq=False)
class Scan:
    """A scan whose header was accepted; its volumes are read from the file each time.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file's bytes.
    parameters : ScanParameters
    affine : ndarray, shape (4, 4), float64
        Voxel indices of the canonical volumes to mm (right, front, up).
    scanned_on : date or None
        By the sidecar; None where it does not say.
    origin : str
        ``synthetic`` for a simulated scan, else ``clinical``.
    assumed : tuple of str
        What was corrected or taken for granted, in sentences.
    """

    path: Path
    sha256: str
    parameters: ScanParameters
    affine: NDArray[np.float64]
    scanned_on: date | None
    origin: str
    assumed: tuple[str, ...]

    def volumes(self) -> Iterator[NDArray[np.float32]]:
        """Yield each volume, shape (columns, rows, slices), float32.

        Raises
        ------
        ScanError
            If the file ends early or is damaged, or a volume holds nothing or what is no number.
        """
        raise NotImplementedError


def open_scan(path: Path) -> Scan:
    """Read a scan's header and hash.

    Parameters
    ----------
    path : Path
        A NIfTI file, ``.nii`` or ``.nii.gz``; its sidecar ``.json`` may lie beside it.

    Raises
    ------
    ScanError
        If it is no such file, or no functional scan of a brain.
    """
    raise NotImplementedError
