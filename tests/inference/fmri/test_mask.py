"""The brain's mask is the brain: whole, in one piece, whatever the field of view and the scanner's gain."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisition.simulator import Patient
from inference.fmri.mask import brain_mask, largest, otsu
from inference.fmri.preparation import LEAST_BRAIN_ML
from tests.inference.fmri import heads
from training.simulated.bold import volumes
from training.simulated.phantom import Phantom, ScanSpec
from training.simulated.sites import sites_of

#: At least so much of both masks is in both.
DICE = 0.97


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Return the share that two masks have in common."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "spec",
    [ScanSpec(n_volumes=1), ScanSpec((32, 32, 18), (6.875, 6.875, 7.8), n_volumes=1)],
    ids=["3.4 mm", "6.9 mm"],
)
def test_the_mask_is_the_simulated_brain(seed: int, spec: ScanSpec) -> None:
    """One noisy volume of a head with scalp, ventricles and lesion is enough."""
    patient = Patient(-1.0, seed, effect=2.0)
    truth = Phantom.of(patient, spec).brain > 0.5
    one = next(volumes(patient, sites_of(seed, 1)[0], spec)).astype(np.float32)
    assert dice(brain_mask(one, spec.voxel_mm), truth) > DICE
    half = spec.shape[2] // 2
    assert dice(brain_mask(one[:, :, :half], spec.voxel_mm), truth[:, :, :half]) > DICE


def test_a_wide_field_of_air_changes_nothing() -> None:
    """Air around the head moves the threshold little, however much there is."""
    volume, truth = heads.course(1)[..., 0], heads.brain()
    wide = np.pad(volume, 8, constant_values=heads.AIR)
    wide += np.random.default_rng(1).normal(0, heads.NOISE, wide.shape).astype(np.float32)
    assert dice(brain_mask(wide, heads.VOXEL_MM), np.pad(truth, 8)) > DICE


@pytest.mark.parametrize("gain", [0.01, 30.0])
def test_the_scanners_gain_changes_nothing(gain: float) -> None:
    """Counts have no unit."""
    volume = heads.still()
    np.testing.assert_array_equal(
        brain_mask(volume * np.float32(gain), heads.VOXEL_MM), brain_mask(volume, heads.VOXEL_MM)
    )


def test_old_bleeding_is_brain() -> None:
    """A dark hole inside is filled."""
    volume = heads.still()
    volume[8:11, 8:11, 6:9] = heads.AIR
    assert brain_mask(volume, heads.VOXEL_MM)[8:11, 8:11, 6:9].all()


def test_what_lies_apart_is_no_brain() -> None:
    """A bright piece that does not hang on the brain, or by little, is left out."""
    volume = heads.still()
    volume[:2, :3, :3] = heads.BRAIN
    assert not brain_mask(volume, heads.VOXEL_MM)[:2, :3, :3].any()


def test_noise_alone_holds_no_brain() -> None:
    """What hangs together by chance is small; without any contrast there is nothing."""
    noise = np.random.default_rng(0).uniform(0, 100, (16, 16, 12)).astype(np.float32)
    assert brain_mask(noise, (4.0, 4.0, 4.0)).sum() * 0.064 < LEAST_BRAIN_ML
    assert not brain_mask(np.zeros((16, 16, 12), np.float32), (4.0, 4.0, 4.0)).any()


def test_otsu_parts_two_classes() -> None:
    """The threshold lies between them, however unlike they are in number."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(10, 2, 9000), rng.normal(100, 10, 1000)]).astype(np.float32)
    assert 20 < otsu(values) < 70


@pytest.mark.parametrize("power", [-130, -60, 60, 116])
def test_the_threshold_follows_values_of_any_size(power: int) -> None:
    """Up to the ends of float32, without a warning."""
    values = heads.still()
    with warnings.catch_warnings(action="error"):
        np.testing.assert_allclose(otsu(np.ldexp(values, power)), np.ldexp(otsu(values), power), rtol=1e-2)


def test_values_of_both_ends_are_parted() -> None:
    """The differences of the largest numbers of both signs are larger than any."""
    values = np.array([-3e38, 3e38] * 50, np.float32)
    with warnings.catch_warnings(action="error"):
        assert abs(otsu(values)) < 1e37


def test_the_threshold_of_one_value_is_that_value() -> None:
    """Nothing is brighter; a few spikes among it are."""
    values = np.full(1000, 1e9, np.float32)
    assert otsu(values) == 1e9
    values[0] = 2e9
    assert otsu(values) == 1e9


def test_values_that_hardly_differ_are_parted() -> None:
    """Even by a step or two of float32, on a large level, where no 256 bins of it fit between them."""
    values = np.full(1000, 1e9, np.float32)
    values[:400] += 128
    assert 1e9 < otsu(values) < 1e9 + 128


def test_the_largest_piece_is_kept() -> None:
    """Of two pieces the larger; nothing of nothing."""
    mask = np.zeros((6, 3, 3), bool)
    mask[0], mask[3:] = True, True
    kept = largest(mask)
    assert kept[3:].all() and not kept[:3].any()
    assert not largest(np.zeros((2, 2, 2), bool)).any()
