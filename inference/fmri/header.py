"""What a NIfTI header says: believed, corrected aloud where only one reading is possible, or refused (law 10).

Every refusal names the file, what it says, what was expected and what to do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import ScanError
from inference.fmri.orienting import facing
from inference.fmri.remedies import CONVERT, DCM2NIIX, SERIES, refused
from inference.fmri.sidecar import Sidecar
from inference.fmri.unpacking import ScanBytes

#: Fewer volumes are no series over time: the paper has 120, and the first five are left out.
LEAST_VOLUMES = 20
#: More volumes are no resting scan: at 0.3 s, the quickest that is read, 50 minutes. What is counted per volume stays
#: small, whatever a header claims; eight bytes of NIfTI-2 could claim more than any memory holds.
MOST_VOLUMES = 10_000
#: Fewer slices hold no brain: at 10 mm, the coarsest that is read, a brain is 11 slices high.
LEAST_SLICES = 8
#: Voxels of a volume that is still read, 160 x 160 x 160: what is held of a scan grows with them.
MOST_VOXELS = 160**3
#: Voxels of a human scan have edges of so many mm.
VOXEL_MM = (0.5, 10.0)
#: A volume takes so many s.
REPETITION_S = (0.3, 10.0)
#: Seconds by which header and sidecar may differ: rounding.
ROUNDED_S = 0.01
#: mm and s per unit; the ranges above leave each number one possible reading.
LENGTHS: Mapping[str, float] = {"mm": 1.0, "m": 1e3, "µm": 1e-3}
TIMES: Mapping[str, float] = {"s": 1.0, "ms": 1e-3, "µs": 1e-6}
#: The header's codes of those units: its lowest three bits, and the next three. Any other code states no unit.
_LENGTH_BITS, _LENGTH_CODES = 7, {1: "m", 2: "mm", 3: "µm"}
_TIME_BITS, _TIME_CODES = 56, {8: "s", 16: "ms", 24: "µs"}
#: Bytes of the headers of NIfTI-1 and NIfTI-2, and where each has its magic word.
_NIFTI1, _NIFTI2 = 348, 540
_MAGIC = {_NIFTI1: 344, _NIFTI2: 4}
#: Where a DICOM file says that it is one.
_DICOM_AT, _DICOM = 128, b"DICM"


@dataclass(frozen=True, eq=False)
class Header:
    """What a header says of a functional scan; nothing of it is turned yet.

    Attributes
    ----------
    shape : (int, int, int)
        Voxels of a volume, in the file's own order.
    n_volumes : int
    dtype : dtype
        Of the stored samples, with their byte order.
    slope, intercept : float
        From a stored sample to a value.
    offset : int
        Bytes before the first sample.
    affine : ndarray, shape (4, 4), float64
        Voxel indices to mm (right, front, up).
    tr_s : float or None
    described : bytes
        The header's free text.
    assumed : tuple of str
        What was corrected or taken for granted, in sentences.
    """

    shape: tuple[int, int, int]
    n_volumes: int
    dtype: np.dtype[Any]
    slope: float
    intercept: float
    offset: int
    affine: NDArray[np.float64]
    tr_s: float | None
    described: bytes
    assumed: tuple[str, ...]


def read_header(file: ScanBytes, sidecar: Sidecar) -> Header:
    """Read the header that a file begins with.

    Parameters
    ----------
    file : ScanBytes
        Nothing of it was read yet.
    sidecar : Sidecar
        What lies beside it.

    Raises
    ------
    ScanError
        If it is no NIfTI header, or that of no functional scan of a brain.
    """
    path, nifti = file.path, _parsed(file)
    shape, n_volumes = _shape(path, nifti)
    dtype, (slope, intercept) = _samples(path, nifti)
    offset, offset_words = _offset(file, nifti, math.prod(shape) * n_volumes * dtype.itemsize)
    per_mm, length_words = _mm(path, nifti)
    affine, affine_words = facing(path, nifti, per_mm)
    tr_s, tr_words = _repetition_s(path, nifti, sidecar)
    beside = ("The file beside it that should say more cannot be read.",) if sidecar.unreadable else ()
    described = bytes(nifti["descrip"]).rstrip(b"\0")
    assumed = (*offset_words, *length_words, *affine_words, *tr_words, *beside)
    return Header(shape, n_volumes, dtype, slope, intercept, offset, affine, tr_s, described, assumed)


def _parsed(file: ScanBytes) -> Any:
    """Return nibabel's header of the file."""
    from nibabel import Nifti1Header, Nifti2Header

    block = file.read(_NIFTI1)
    size = next((n for order in ("little", "big") if (n := int.from_bytes(block[:4], order)) in _MAGIC), 0)
    if len(block) < _NIFTI1 or not size:
        raise _no_nifti(file.path, block)
    block += file.read(size - _NIFTI1)
    magic = block[_MAGIC[size] : _MAGIC[size] + 3]
    if magic in (b"ni1", b"ni2"):
        words = "is one half of a pair of .hdr and .img files"
        raise refused(file.path, words, "Write the scan as one .nii.gz file.")
    if len(block) < size or magic not in (b"n+1", b"n+2"):
        raise _no_nifti(file.path, block)
    kind: Any = Nifti1Header if size == _NIFTI1 else Nifti2Header
    return kind(block, check=False)


def _no_nifti(path: Path, block: bytes) -> ScanError:
    if block[_DICOM_AT : _DICOM_AT + 4] == _DICOM:
        return refused(path, "is a DICOM file, expected NIfTI", DCM2NIIX)
    begins = f"it begins with {block[:16]!r}" if block else "it is empty"
    return refused(path, f"is no NIfTI file: {begins}", "Name a .nii or .nii.gz file of volumes over time.")


def _shape(path: Path, nifti: Any) -> tuple[tuple[int, int, int], int]:
    """Return a volume's shape and the number of volumes."""
    n_axes = int(nifti["dim"][0])
    sizes = [int(n) for n in nifti["dim"][1 : 1 + max(n_axes, 0)]]
    if not 1 <= n_axes <= 7 or min(sizes) < 1:
        raise refused(path, f"has a header whose shape makes no sense: {sizes}")
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    words = " x ".join(map(str, sizes))
    if len(sizes) != 4:
        raise refused(path, f"is of shape {words}, expected volumes over time", SERIES)
    *volume, n_volumes = sizes
    if n_volumes < LEAST_VOLUMES:
        words = f"has {n_volumes} volumes, expected {LEAST_VOLUMES} or more"
        raise refused(path, words, SERIES)
    if n_volumes > MOST_VOLUMES:
        words = f"has {n_volumes} volumes, expected {MOST_VOLUMES} at most"
        raise refused(path, words, SERIES)
    if math.prod(volume) > MOST_VOXELS:
        words = f"has volumes of {words.rpartition(' x ')[0]} voxels, expected {MOST_VOXELS} at most"
        raise refused(path, words, SERIES)
    return (volume[0], volume[1], volume[2]), n_volumes


def _samples(path: Path, nifti: Any) -> tuple[np.dtype[Any], tuple[float, float]]:
    """Return the samples' type and their scaling."""
    from nibabel.spatialimages import HeaderDataError

    try:
        dtype = np.dtype(nifti.get_data_dtype())
        slope, intercept = nifti.get_slope_inter()
    except (HeaderDataError, KeyError) as error:
        what = f"has a header that cannot be used: {error}, of type {int(nifti['datatype'])}"
        raise refused(path, what) from error
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise refused(path, f"holds samples of type {dtype}, expected one number per voxel", SERIES)
    return dtype, (1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept))


def _offset(file: ScanBytes, nifti: Any, n_bytes: int) -> tuple[int, tuple[str, ...]]:
    """Return where the samples begin, and what was assumed; the file must be able to hold them."""
    stated, path = float(nifti["vox_offset"]), file.path
    least = int(nifti["sizeof_hdr"]) + 4
    words = () if stated else (f"It does not say where its samples begin; they are read from byte {least} on.",)
    stated = stated or least
    if not least <= stated < math.inf:
        raise refused(path, f"says that its samples begin at byte {stated:g}")
    if stated + n_bytes > file.n_bytes_most:
        raise file.damaged(f"its header claims {_size(stated + n_bytes)}, the file has {_size(file.n_bytes)}")
    return int(stated), words


def _mm(path: Path, nifti: Any) -> tuple[float, tuple[str, ...]]:
    """Return mm per unit of length, and what was assumed."""
    edges = [float(edge) for edge in np.abs(nifti["pixdim"][1:4])]
    stated = _LENGTH_CODES.get(int(nifti["xyzt_units"]) & _LENGTH_BITS, "")
    said = f"Its voxels are {edges[0]:g} x {edges[1]:g} x {edges[2]:g} {stated}".rstrip()
    unit = _reading(edges, VOXEL_MM, LENGTHS, stated)
    if unit is None:
        low, high = VOXEL_MM
        words = f": {said.lower()}, expected edges of {low:g} to {high:g} mm"
        raise refused(path, words, f"Name the scan as it was taken, at its own resolution, or: {CONVERT}")
    if unit != stated:
        return LENGTHS[unit], (f"{said}, which can only be {unit}.",)
    return LENGTHS[unit], ()


def _repetition_s(path: Path, nifti: Any, sidecar: Sidecar) -> tuple[float | None, tuple[str, ...]]:
    """Return seconds from volume to volume, and what was assumed."""
    step, stated = abs(float(nifti["pixdim"][4])), _TIME_CODES.get(int(nifti["xyzt_units"]) & _TIME_BITS, "")
    if step == 0 or not math.isfinite(step):
        return _beside(path, sidecar)
    unit = _reading([step], REPETITION_S, TIMES, stated)
    said = f"{step:g} {stated}".rstrip()
    if unit is None:
        low, high = REPETITION_S
        words = f"says that a volume took {said}, expected {low:g} to {high:g} s"
        raise refused(path, words, f"{CONVERT} Or write the true one into the header.")
    tr_s = step * TIMES[unit]
    if sidecar.tr_s is not None and abs(sidecar.tr_s - tr_s) > ROUNDED_S:
        words = f": a volume took {tr_s:g} s by its header and {sidecar.tr_s:g} s by the file beside it"
        raise refused(path, words, "Put right whichever of the two is wrong.")
    return tr_s, () if unit == stated else (f"Its volumes took {said}, which can only be {tr_s:g} s.",)


def _beside(path: Path, sidecar: Sidecar) -> tuple[float | None, tuple[str, ...]]:
    """Return the sidecar's repetition time, where the header has none."""
    if sidecar.tr_s is None:
        return None, ("Nothing says how long a volume took.",)
    low, high = REPETITION_S
    if not low <= sidecar.tr_s <= high:
        words = f": a volume took {sidecar.tr_s:g} s by the file beside it, expected {low:g} to {high:g} s"
        raise refused(path, words, "Write RepetitionTime in seconds into it.")
    return sidecar.tr_s, (f"A volume took {sidecar.tr_s:g} s by the file beside it; the header does not say.",)


def _reading(values: list[float], within: tuple[float, float], units: Mapping[str, float], stated: str) -> str | None:
    """Return the unit in which all values are possible: the stated one, else the only other one; None if none is."""
    low, high = within
    order = [stated, *units] if stated in units else list(units)
    return next((unit for unit in order if all(low <= value * units[unit] <= high for value in values)), None)


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
