"""A simulated resting-state scan: volumes of a head over time, and the NIfTI file that holds them.

What recovery moves is in ``lesion``; drift, saturation, noise and the scanner's gain are nuisances. Volumes are made
and written one by one: memory does not grow with the scan.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from acquisition.durable import replace_file
from acquisition.errors import BadEnvironment
from acquisition.simulator import Patient
from inference.fmri.volume import SIMULATED
from training.simulated.landing import landed
from training.simulated.lesion import NODE_MM, SERIES, VOLUMES, BoldTraits, mirrored
from training.simulated.phantom import Phantom, ScanSpec
from training.simulated.sites import Site

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

#: Counts of white matter at a scanner gain of 1, and its signal over the noise of one volume.
COUNTS, SIGNAL_TO_NOISE = 900.0, 60.0
#: Spread of a patient's own brightness, as a share.
GAIN_SPREAD = 0.1
#: How much brighter the first volume is than a saturated one, and the time constant in s.
FIRST_BRIGHTER, T1_S = 0.5, 1.4
#: Largest slow drift over a scan, as a share.
DRIFT = 0.015
#: Band of resting fluctuations in Hz; their strength as a share of the signal in a motor node, and in all grey matter.
RESTING_HZ, NODE_SHARE, GREY_SHARE = (0.01, 0.1), 0.015, 0.006
#: Radius of a motor node in mm; fluctuations that other places share, and their extent.
NODE_RADIUS_MM, N_PLACES, PLACE_RADIUS_MM = 8.0, 8, 22.0
#: zlib's level: 1 takes a seventh of the time of 6 and the file is no larger, noise being most of it.
GZIP_LEVEL = 1
#: zlib's word for a gzip file, without a name and a time in it: the same scan is the same bytes.
GZIP = 31
#: Name of the task in the names of the files.
TASK = "rest"
#: Bytes before the samples: the header, and four that say that no extension follows.
HEADER_BYTES = 352


def load_nibabel() -> ModuleType:
    """Return nibabel, without which everything but scans can be made.

    Raises
    ------
    BadEnvironment
        If it is not installed.
    """
    try:
        import nibabel
    except ImportError as error:
        remedy = "Install it: pip install nibabel; or leave the scans out: --no-bold"
        message = "BOLD scans are written by nibabel, which is not installed here."
        raise BadEnvironment(message, subject="nibabel", remedy=remedy) from error
    return nibabel


def volumes(patient: Patient, site: Site, scan: ScanSpec) -> Iterator[NDArray[np.int16]]:
    """Yield the volumes of a scan, each of the scan's shape.

    Parameters
    ----------
    patient : Patient
        Who.
    site : Site
        The scanner's gain and noise.
    scan : ScanSpec
        Geometry and length.
    """
    phantom = Phantom.of(patient, scan)
    rng = np.random.default_rng((patient.seed, SERIES))
    level = COUNTS * site.scanner_gain * np.exp(GAIN_SPREAD * rng.standard_normal()) * phantom.signal
    noise = np.float32(COUNTS * site.scanner_gain * site.scanner_noise / SIGNAL_TO_NOISE)
    brightness = _brightness(scan, rng)
    maps, series = _fluctuations(phantom, BoldTraits.of(patient), patient, scan, rng)
    for n in range(scan.n_volumes):
        change = (series[n] @ maps).reshape(scan.shape)
        still = np.asarray(level * brightness[n] * (1 + change), np.float32)
        yield _rician(still, noise, np.random.default_rng((patient.seed, VOLUMES, n)))


def write_scan(path: Path, patient: Patient, site: Site, scan: ScanSpec) -> None:
    """Write a patient's scan and its sidecar; the scan has its name last.

    Parameters
    ----------
    path : Path
        Ends in ``_bold.nii.gz``; its folder exists.
    patient, site, scan
        As for ``volumes``.

    Raises
    ------
    DiskFull
        If the disk takes no more; nothing of that name is left.
    """
    replace_file(path.with_name(path.name.removesuffix(".nii.gz") + ".json"), _sidecar(scan))
    packer = zlib.compressobj(GZIP_LEVEL, wbits=GZIP)
    with landed(path) as file:
        file.append(packer.compress(_header(scan).binaryblock.ljust(HEADER_BYTES, b"\0")))
        for volume in volumes(patient, site, scan):
            file.append(packer.compress(volume.tobytes("F")))
        file.append(packer.flush())


def _brightness(scan: ScanSpec, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what each volume is multiplied by: the first ones are not saturated yet, and the scanner drifts."""
    t = np.linspace(-1.0, 1.0, scan.n_volumes)
    slope, bend = rng.uniform(-DRIFT, DRIFT, 2) / 2
    since_s = scan.tr_s * np.arange(scan.n_volumes)
    return np.asarray((1 + slope * t + bend * t**2) * (1 + FIRST_BRIGHTER * np.exp(-since_s / T1_S)))


def _fluctuations(
    phantom: Phantom, traits: BoldTraits, patient: Patient, scan: ScanSpec, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return where the brain fluctuates, shape (n, n_voxels), and how, shape (n_volumes, n): shares of the signal."""
    healthy, own, *others = _resting(scan, 2 + N_PLACES, rng)
    lesioned = traits.coupling * healthy + np.sqrt(1 - traits.coupling**2) * own
    left, right = (lesioned, healthy) if patient.lesion_side == "left" else (healthy, lesioned)
    nodes = [_blob(phantom, mirrored(NODE_MM, side), NODE_RADIUS_MM) * phantom.brain for side in ("left", "right")]
    centres = rng.uniform(-60, 60, (N_PLACES, 3))
    places = [_blob(phantom, centre, PLACE_RADIUS_MM) * phantom.grey for centre in centres]
    maps = [*(NODE_SHARE * node for node in nodes), *(GREY_SHARE * place for place in places)]
    series = np.stack([left, right, *others], axis=1)
    return np.stack([one.ravel() for one in maps]), series.astype(np.float32)


def _resting(scan: ScanSpec, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return slow fluctuations of variance 1, independent of each other, shape (n, n_volumes)."""
    sos = signal.butter(2, RESTING_HZ, "bandpass", fs=1 / scan.tr_s, output="sos")
    run_in = round(2 / RESTING_HZ[0] / scan.tr_s)
    slow = signal.sosfilt(sos, rng.standard_normal((n, run_in + scan.n_volumes)), axis=1)
    return np.asarray(slow[:, run_in:] / np.std(slow, axis=1, keepdims=True))


def _blob(phantom: Phantom, centre_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.float32]:
    """Return 1 at a place, less the farther away."""
    squares = sum((phantom.at_mm[k] - np.float32(centre_mm[k])) ** 2 for k in range(3))
    return np.asarray(np.exp(-squares / np.float32(2 * radius_mm**2)), np.float32)


def _rician(still: NDArray[np.float32], noise: np.float32, rng: np.random.Generator) -> NDArray[np.int16]:
    """Return the magnitude of a signal with noise in both of its parts, in counts."""
    real, imaginary = noise * rng.standard_normal((2, *still.shape), np.float32)
    return np.rint(np.hypot(still + real, imaginary)).astype(np.int16)


def _header(scan: ScanSpec) -> Nifti1Header:
    """Return the header of a scan's file: its geometry, both ways, and that it is simulated."""
    header: Nifti1Header = load_nibabel().Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape((*scan.shape, scan.n_volumes))
    header.set_zooms((*scan.voxel_mm, scan.tr_s))
    header.set_xyzt_units("mm", "sec")
    header.set_qform(scan.affine, code="scanner")
    header.set_sform(scan.affine, code="scanner")
    header.set_data_offset(HEADER_BYTES)
    header["descrip"] = SIMULATED
    return header


def _sidecar(scan: ScanSpec) -> bytes:
    fields = {
        "TaskName": TASK,
        "TaskDescription": "Simulated resting state: no patient.",
        "RepetitionTime": scan.tr_s,
        "Manufacturer": "Flexion",
        "ManufacturersModelName": "simulated scanner",
    }
    return (json.dumps(fields, indent=2) + "\n").encode()
