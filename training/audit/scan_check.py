"""What is wrong with a functional scan: its header, its geometry, and whether its last byte is there.

The header is read by nibabel; the bytes stream past in blocks, unpacked and counted, never held.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from training.audit.findings import Finding

#: Bytes read at once.
BLOCK = 1 << 20
#: Fewer volumes are no series over time: the paper has 120, and the first five are dropped.
LEAST_VOLUMES = 20
#: Voxels of a human scan have edges of so many mm.
VOXEL_MM = (0.5, 10.0)
#: A volume takes so many s.
REPETITION_S = (0.3, 10.0)
#: Seconds by which header and sidecar may differ: rounding.
ROUNDED_S = 0.01
#: zlib's word for "with a gzip header".
_GZIP = 31
_AGAIN = "Copy it again from where it was recorded, or take it out of the folder."


@dataclass(frozen=True)
class Scan:
    """What was seen of a scan.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file.
    shape : tuple of int
        Empty where the header cannot be read.
    repetition_s : float or None
    findings : tuple of Finding
    """

    path: Path
    sha256: str
    shape: tuple[int, ...]
    repetition_s: float | None
    findings: tuple[Finding, ...]


def look_at_scan(path: Path, patient: str, name: str) -> Scan:
    """Look at one scan.

    Parameters
    ----------
    path : Path
    patient, name : str
        Whose it is, and what the file is called in findings.
    """
    import nibabel

    findings: list[Finding] = []

    def found(level: Any, what: str, remedy: str) -> None:
        findings.append(Finding(level, "scan", patient, name, what, remedy))

    sha256, n_bytes, broken = _through(path)
    if broken:
        found("error", f"Its bytes cannot be read to the end: {broken}.", _AGAIN)
    try:
        image: Any = nibabel.load(path)
        header, shape, offset = image.header, tuple(image.shape), int(image.dataobj.offset)
        needed = offset + int(np.prod(shape)) * header.get_data_dtype().itemsize
    except Exception as error:  # nibabel lets through whatever its parts raise on bytes that are no header
        found("error", f"Its header cannot be read: {' '.join(str(error).split())}.", _AGAIN)
        return Scan(path, sha256, (), None, tuple(findings))
    if not broken and n_bytes < needed:
        found("error", f"It ends early: {n_bytes} bytes are there, its header speaks of {needed}.", _AGAIN)
    for what, remedy in _geometry(shape, header.get_zooms(), image.affine):
        found("error", what, remedy)
    if not int(header["sform_code"]) and not int(header["qform_code"]):
        what = "Its header does not say which side is left (qform and sform codes are 0)."
        found("warning", what, "Convert it again from DICOM; a hemisphere cannot be told otherwise.")
    stated_s = _repetition_s(header)
    repetition_s, what = _agreed(stated_s, _sidecar(path))
    if what:
        found("warning", what, "Write RepetitionTime in seconds into the .json beside it.")
    return Scan(path, sha256, shape, repetition_s, tuple(findings))


def _through(path: Path) -> tuple[str, int, str]:
    """Return a file's hash, its unpacked bytes, and what is broken about them."""
    digest = hashlib.sha256()
    n_bytes, broken = 0, ""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            for n in _unpacked(file, digest, packed):
                n_bytes += n
    except (OSError, zlib.error) as error:
        broken = str(error)
    return digest.hexdigest(), n_bytes, broken


def _unpacked(file: BinaryIO, digest: Any, packed: bool) -> Iterator[int]:
    """Yield the number of bytes of each block, unpacked; a file may hold more than one gzip member.

    Raises
    ------
    OSError, zlib.error
        If it cannot be read or unpacked, or ends within a member.
    """
    member = zlib.decompressobj(_GZIP)
    fresh = True
    while block := file.read(BLOCK):
        digest.update(block)
        if not packed:
            yield len(block)
        while packed and block:
            yield len(member.decompress(block))
            fresh, block = member.eof, member.unused_data.lstrip(b"\0") if member.eof else b""
            if member.eof:
                member = zlib.decompressobj(_GZIP)
    if packed and not fresh:
        raise OSError("the packed bytes end early")


def _geometry(shape: tuple[int, ...], zooms: tuple[float, ...], affine: Any) -> Iterator[tuple[str, str]]:
    words = "x".join(map(str, shape))
    if len(shape) != 4 or shape[3] < LEAST_VOLUMES:
        what = f"It is of shape {words}; expected volumes over time, {LEAST_VOLUMES} or more."
        yield what, "Take the series of the resting state, not a single volume or an anatomical scan."
    voxel = [float(edge) for edge in zooms[:3]]
    low, high = VOXEL_MM
    if not all(low <= edge <= high for edge in voxel):
        edges = " x ".join(f"{edge:g}" for edge in voxel)
        yield f"Its voxels are {edges} mm; expected edges of {low:g} to {high:g} mm.", "Convert it again from DICOM."
    if not np.isfinite(affine).all() or not np.linalg.det(affine[:3, :3]):
        yield "Its affine says nowhere where a voxel lies.", "Convert it again from DICOM."


def _repetition_s(header: Any) -> float | None:
    """Return seconds from volume to volume, as the header has them; None where it has none."""
    zooms, unit = header.get_zooms(), header.get_xyzt_units()[1]
    step = float(zooms[3]) if len(zooms) > 3 else 0.0
    return step * {"msec": 1e-3, "usec": 1e-6}.get(unit, 1.0) if step > 0 else None


def _sidecar(path: Path) -> float | None:
    """Return seconds from volume to volume, as the sidecar has them; None where it has none or cannot be read."""
    beside = path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    try:
        stated = json.loads(beside.read_text(encoding="utf-8-sig")).get("RepetitionTime")
    except (OSError, ValueError, AttributeError):
        return None
    return float(stated) if isinstance(stated, int | float) else None


def _agreed(header_s: float | None, sidecar_s: float | None) -> tuple[float | None, str]:
    """Return seconds from volume to volume, and what is wrong with them; the sidecar is believed."""
    known = sidecar_s if sidecar_s is not None else header_s
    if known is None:
        return None, "Neither its header nor a sidecar says how long a volume took."
    if not REPETITION_S[0] <= known <= REPETITION_S[1]:
        return known, f"A volume took {known:g} s; expected {REPETITION_S[0]:g} to {REPETITION_S[1]:g} s."
    if header_s is not None and abs(header_s - known) > ROUNDED_S:
        return known, f"A volume took {header_s:g} s by its header and {known:g} s by its sidecar."
    return known, ""
