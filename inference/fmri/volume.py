"""A scan: what its header says, and its volumes one after the other, right, front and top up.

Memory does not grow with the length of a scan; what is wrong with its bytes is found when they are reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.bundle import sha256_of_file
from inference.fmri.header import LEAST_SLICES, Header, read_header
from inference.fmri.orienting import canonical
from inference.fmri.parameters import ScanParameters
from inference.fmri.remedies import CONVERT, WHOLE, refused
from inference.fmri.sidecar import read_sidecar
from inference.fmri.unpacking import BLOCK, ScanBytes

#: A field of fewer mm along an axis holds no head: half of what the narrowest brain measures from side to side.
LEAST_FIELD_MM = 60.0
#: Beyond so many counts a value is none that a scanner gave, and below the other a difference is none. Between them
#: squares and sums of them stay in float32's range.
MOST_COUNTS, LEAST_COUNTS = 1e12, 1e-12
#: What a simulated scan's header says of itself (law 9).
SIMULATED = b"simulated by Flexion: no patient"
#: What to do about samples that are none.
_ANOTHER = f"{CONVERT} If that changes nothing, name another series."


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
    header : Header
        As stored.
    """

    path: Path
    sha256: str
    parameters: ScanParameters
    affine: NDArray[np.float64]
    scanned_on: date | None
    origin: str
    assumed: tuple[str, ...]
    header: Header

    def volumes(self) -> Iterator[NDArray[np.float32]]:
        """Yield each volume, shape (columns, rows, slices), float32, in C order.

        Raises
        ------
        ScanError
            If the file ends early, is damaged or holds more than its header says, or a volume holds nothing or what
            is no number.
        """
        header = self.header
        _, order, reverse = canonical(header.affine, header.shape)
        flips = tuple(slice(None, None, -1 if back else 1) for back in reverse)
        n_bytes = math.prod(header.shape) * header.dtype.itemsize
        with ScanBytes(self.path) as file:
            file.skip(header.offset)
            for n in range(header.n_volumes):
                block = file.read(n_bytes)
                if len(block) < n_bytes:
                    raise file.damaged(f"it ends in volume {n + 1} of the {header.n_volumes} that its header speaks of")
                stored = np.frombuffer(block, header.dtype).reshape(header.shape, order="F")
                yield self._checked(np.ascontiguousarray(stored.transpose(order)[flips]), n)
            if any(file.read(BLOCK)):
                raise file.damaged(f"it goes on after the {header.n_volumes} volumes that its header speaks of")

    def _checked(self, stored: NDArray[np.generic], n: int) -> NDArray[np.float32]:
        """Return a volume's values."""
        header = self.header
        with np.errstate(over="ignore", invalid="ignore"):
            values = stored.astype(np.float32)
            if (header.slope, header.intercept) != (1.0, 0.0):
                values = values * np.float32(header.slope) + np.float32(header.intercept)
        which = f"has in volume {n + 1} of {header.n_volumes}"
        if bad := int(values.size - (np.abs(values) <= MOST_COUNTS).sum()):
            raise refused(self.path, f"{which} {bad} voxels that are no number or beyond {MOST_COUNTS:g}", _ANOTHER)
        if float(values.max()) - float(values.min()) < LEAST_COUNTS:
            raise refused(self.path, f"{which} nothing but the value {values.flat[0]:g}", _ANOTHER)
        return values


def open_scan(path: Path) -> Scan:
    """Read a scan's header and hash.

    Parameters
    ----------
    path : Path
        A NIfTI file, packed by gzip or not; its sidecar ``.json`` may lie beside it.

    Raises
    ------
    ScanError
        If it is no such file, or no functional scan of a brain.
    """
    with ScanBytes(path) as file:
        sidecar = read_sidecar(path)
        header = read_header(file, sidecar)
    affine, order, _ = canonical(header.affine, header.shape)
    columns, rows, n_slices = (header.shape[axis] for axis in order)
    if n_slices < LEAST_SLICES:
        raise refused(path, f"has {n_slices} of the {LEAST_SLICES} slices that a brain needs at the least", WHOLE)
    wide, long, high = (float(edge) for edge in np.linalg.norm(affine[:3, :3], axis=0))
    if min(field_mm := (columns * wide, rows * long, n_slices * high)) < LEAST_FIELD_MM:
        field = " x ".join(f"{mm:.3g}" for mm in field_mm)
        raise refused(path, f"has a field of {field} mm, expected {LEAST_FIELD_MM:g} or more along each axis", WHOLE)
    parameters = ScanParameters(
        fov_mm=(columns * wide, rows * long),
        matrix=(columns, rows),
        n_slices=n_slices,
        tr_s=header.tr_s,
        thickness_mm=high,
        n_volumes=header.n_volumes,
        voxel_mm=(wide, long, high),
    )
    origin = "synthetic" if header.described == SIMULATED else "clinical"
    tilted = () if order[2] == 2 else ("It was not stored in axial slices; axial ones are cut from it.",)
    assumed = (*header.assumed, *tilted)
    return Scan(path, sha256_of_file(path), parameters, affine, sidecar.scanned_on, origin, assumed, header)
