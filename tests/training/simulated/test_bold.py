"""Simulated scans: recovery shows in the lesion, its distance from the tract and the coupled nodes, or nowhere."""

from __future__ import annotations

import builtins
import json
from functools import cache
from itertools import pairwise
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from acquisition.errors import BadEnvironment
from acquisition.simulator import Patient
from training.simulated import bold
from training.simulated.bold import volumes, write_scan
from training.simulated.lesion import NODE_MM, BoldTraits, Lesion, mirrored, on_tract
from training.simulated.phantom import Phantom, ScanSpec
from training.simulated.sites import sites_of

SITE = sites_of(1, 1)[0]
#: As a scanner has it, and quicker: half as many voxels each way, and volumes enough for slow fluctuations.
SCAN, SHORT, COARSE = ScanSpec(), ScanSpec(n_volumes=8), ScanSpec((32, 32, 18), (6.875, 6.875, 7.8))
RECOVERIES = (-2.0, 0.0, 2.0)
SEEDS = range(4)


def patients(seed: int, effect: float = 2.0) -> list[Patient]:
    """Return one patient at each recovery, worst first; his left hemisphere has the lesion."""
    return [Patient(recovery, seed, effect=effect) for recovery in RECOVERIES]


def rises(figures: list[float]) -> bool:
    """Tell whether each figure is above the one before."""
    return all(b > a for a, b in pairwise(figures))


@cache
def phantom(patient: Patient) -> Phantom:
    """Return a patient's head."""
    return Phantom.of(patient, SCAN)


def lesion_mm3(patient: Patient) -> float:
    """Return the lesion's volume in the image."""
    return float(phantom(patient).lesion.sum() * np.prod(SCAN.voxel_mm))


def distance_mm(patient: Patient) -> float:
    """Return how far the lesion's centre of mass in the image lies from the tract on that side."""
    head = phantom(patient)
    centre = (head.at_mm * head.lesion).sum(axis=(1, 2, 3)) / head.lesion.sum()
    return float(np.linalg.norm(centre - mirrored(on_tract(centre[2]), patient.lesion_side)))


@cache
def coupling(patient: Patient) -> float:
    """Return the correlation of the two motor nodes in the scan, without drift and the first volumes."""
    made = np.stack(list(volumes(patient, SITE, COARSE)))[5:].astype(float)
    at_mm = Phantom.of(patient, COARSE).at_mm
    t = np.linspace(-1, 1, len(made))
    nodes = []
    for side in ("left", "right"):
        near = np.linalg.norm(at_mm - mirrored(NODE_MM, side)[:, None, None, None], axis=0) < 9
        trace = made[:, near].mean(axis=1)
        nodes.append(trace - np.polyval(np.polyfit(t, trace, 2), t))
    return float(np.corrcoef(nodes)[0, 1])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_better_the_recovery_the_smaller_the_lesion_and_the_farther_from_the_tract(seed: int):
    """Both in the image itself."""
    assert rises([-lesion_mm3(patient) for patient in patients(seed)])
    assert rises([distance_mm(patient) for patient in patients(seed)])


def test_the_better_the_recovery_the_more_the_motor_nodes_fluctuate_together():
    """In the mean of a few patients: four minutes hold two dozen slow swings, so that one patient's figure is rough."""
    means = [np.mean([coupling(patients(seed)[k]) for seed in SEEDS]) for k in range(len(RECOVERIES))]
    assert rises(means)
    assert means[0] < 0.35 < 0.6 < means[2]


def test_traits_move_steadily_with_recovery():
    """In between too."""
    traits = [BoldTraits.of(Patient(recovery, 3)) for recovery in np.linspace(-3, 3, 13)]
    assert rises([-t.radius_mm for t in traits])
    assert rises([t.distance_mm for t in traits])
    assert rises([t.coupling for t in traits])


def test_without_effect_recovery_does_not_show_in_a_single_bit():
    """The null scan is one."""
    worst, _, best = patients(3, effect=0.0)
    for one, other in zip(volumes(worst, SITE, SHORT), volumes(best, SITE, SHORT), strict=True):
        assert one.tobytes() == other.tobytes()


def test_the_lesion_lies_in_the_brain_on_the_patients_side():
    """Left is below 0 mm; nothing of it is outside of the head."""
    for seed in range(20):
        for side in ("left", "right"):
            patient = Patient((-1.0) ** seed, seed, paretic_side=side)
            centre_mm = Lesion.of(patient).centre_mm
            assert bool(centre_mm[0] < 0) is (patient.lesion_side == "left")
            assert np.linalg.norm(centre_mm / (66.0, 82.0, 57.0)) < 0.9


def test_patients_differ_by_more_than_their_lesions():
    """Size, place, texture and bias are a patient's own: slices know whose they are, so that a leak test has teeth."""
    one, other, again = (Phantom.of(Patient(0.0, seed), COARSE) for seed in (1, 2, 1))
    assert one.brain.sum() != other.brain.sum()
    both = (one.brain > 0.9) & (other.brain > 0.9)
    assert abs(np.corrcoef(one.signal[both], other.signal[both])[0, 1]) < 0.8
    assert one.signal.tobytes() == again.signal.tobytes()


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a short scan."""
    path = tmp_path_factory.mktemp("func") / "sub-001_task-rest_bold.nii.gz"
    write_scan(path, Patient(-1.0, 5), SITE, SHORT)
    return path


def test_a_scan_is_a_nifti_file_with_its_geometry_and_says_that_it_is_simulated(scan: Path):
    """As nibabel reads it: int16, a GE scanner's voxels, seconds, both affines the same, columns to the left."""
    image = nib.load(scan)
    assert isinstance(image, nib.Nifti1Image)
    assert image.shape == (64, 64, 35, 8)
    assert image.get_data_dtype() == np.int16
    assert [float(zoom) for zoom in image.header.get_zooms()] == [3.4375, 3.4375, 4.0, 2.0]
    assert image.header.get_xyzt_units() == ("mm", "sec")
    assert np.allclose(image.get_qform(), SCAN.affine)
    assert np.array_equal(image.affine, SCAN.affine)
    assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
    assert b"simulated" in image.header["descrip"].tobytes()
    assert json.loads(scan.with_name("sub-001_task-rest_bold.json").read_text())["RepetitionTime"] == 2.0


def test_the_file_holds_the_volumes_in_their_order(scan: Path):
    """Nothing is scaled, turned or left out."""
    made = np.stack(list(volumes(Patient(-1.0, 5), SITE, SHORT)), axis=-1)
    assert np.array_equal(np.asanyarray(nib.load(scan).dataobj), made)


def test_the_first_volumes_are_brighter_and_the_rest_steady(scan: Path):
    """Magnetisation saturates within a few volumes."""
    means = np.asanyarray(nib.load(scan).dataobj).mean(axis=(0, 1, 2))
    assert rises([-mean for mean in means[:3]])
    assert means[0] > 1.2 * means[5]
    assert means[6] == pytest.approx(means[7], rel=0.01)


def test_the_same_scan_is_the_same_bytes(scan: Path, tmp_path: Path):
    """No name and no time is in the file."""
    path = tmp_path / "other_bold.nii.gz"
    write_scan(path, Patient(-1.0, 5), SITE, SHORT)
    assert path.read_bytes() == scan.read_bytes()


def test_enough_layers_hold_brain_for_a_model_of_slices():
    """About twenty of 35 have half the area of the widest, as in the field."""
    areas = [(phantom(Patient(0.0, seed)).brain > 0.5).sum(axis=(0, 1)) for seed in SEEDS]
    assert all(18 <= (area >= 0.5 * area.max()).sum() <= 23 for area in areas)


def test_without_nibabel_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """The bedside has none of it."""
    real = builtins.__import__

    def without(name: str, *rest: object):
        if name == "nibabel":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadEnvironment, match="nibabel, which is not installed here.*--no-bold"):
        bold.load_nibabel()
