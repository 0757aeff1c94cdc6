"""Known shifts and turns of a head are found, in mm and radians, with their signs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from acquisition.simulator import Patient
from inference.fmri.motion import SPHERE_MM, HeadMotion, framewise_displacement, parameters_of, rigid
from training.simulated.phantom import Phantom, ScanSpec

SPEC = ScanSpec()
MIDDLE = (np.array(SPEC.shape) - 1) / 2
#: mm, at the surface of the sphere for turns, by which what is found may differ.
CLOSE_MM = 0.25


@pytest.fixture(scope="module")
def head() -> NDArray[np.float64]:
    """Return a simulated head in counts, without noise."""
    return np.asarray(900 * Phantom.of(Patient(0.0, 1), SPEC).signal, np.float64)


def seen(
    head: NDArray[np.float64], parameters: NDArray[np.float64], seed: int, gain: float = 1.0
) -> NDArray[np.float32]:
    """Return a noisy volume of the head after it moved."""
    edges, back = np.array(SPEC.voxel_mm), np.linalg.inv(rigid(parameters))
    matrix = np.diag(1 / edges) @ back[:3, :3] @ np.diag(edges)
    moved = ndimage.affine_transform(
        head, matrix, MIDDLE - matrix @ MIDDLE + back[:3, 3] / edges, order=3, mode="nearest"
    )
    return (gain * moved + 15 * np.random.default_rng(seed).standard_normal(SPEC.shape)).astype(np.float32)


@pytest.mark.parametrize(
    "parameters",
    [
        (0.5, 0, 0, 0, 0, 0),
        (0, -1.5, 0, 0, 0, 0),
        (0, 0, 1.0, 0, 0, 0),
        (0, 0, 0, 0.02, 0, 0),
        (0, 0, 0, 0, -0.02, 0),
        (0, 0, 0, 0, 0, 0.03),
        (0.5, -0.4, 0.8, 0.02, -0.01, 0.015),
    ],
)
def test_a_known_move_is_found(head: NDArray[np.float64], parameters: tuple[float, ...]) -> None:
    """Also while the scanner grows brighter by a third."""
    true = np.array(parameters, float)
    follower = HeadMotion(seen(head, np.zeros(6), 0), SPEC.voxel_mm)
    off = follower.push(seen(head, true, 1, gain=1.33)) - true
    assert np.abs(off[:3]).max() < CLOSE_MM
    assert SPHERE_MM * np.abs(off[3:]).max() < CLOSE_MM


def test_turns_count_on_a_sphere_of_50_mm() -> None:
    """Power's formula, by hand: 1 + 2 mm and a hundredth of a radian."""
    parameters = np.array([[0, 0, 0, 0, 0, 0], [1, -2, 0, 0.01, 0, 0], [1, -2, 0, 0.01, 0, 0]], float)
    np.testing.assert_allclose(framewise_displacement(parameters), [3.5, 0.0])


def test_a_still_head_does_not_move(head: NDArray[np.float64]) -> None:
    """The scanner's noise looks like less than a tenth of a mm."""
    follower = HeadMotion(seen(head, np.zeros(6), 0), SPEC.voxel_mm)
    places = np.stack([follower.push(seen(head, np.zeros(6), seed)) for seed in range(1, 5)])
    assert framewise_displacement(places).max() < 0.1


def test_a_jump_is_followed_and_back(head: NDArray[np.float64]) -> None:
    """Each volume starts where the one before lay, and its way is counted once."""
    follower = HeadMotion(seen(head, np.zeros(6), 0), SPEC.voxel_mm)
    jump = np.array([3.0, 2.0, -3.0, 0, 0, 0])
    places = np.stack(
        [follower.push(seen(head, at, seed)) for seed, at in enumerate([0 * jump, jump, jump, 0 * jump], 1)]
    )
    np.testing.assert_allclose(framewise_displacement(places), [8.0, 0.0, 8.0], atol=0.8)


def test_fine_voxels_are_averaged(head: NDArray[np.float64]) -> None:
    """A scan of half the voxel's edge finds the same move."""
    fine = ndimage.zoom(head, 2, order=1, grid_mode=True, mode="nearest").astype(np.float32)
    follower = HeadMotion(fine, [edge / 2 for edge in SPEC.voxel_mm])
    found = follower.push(np.roll(fine, 1, axis=1))
    assert found[1] == pytest.approx(SPEC.voxel_mm[1] / 2, abs=CLOSE_MM)


@pytest.mark.parametrize(
    ("shape", "voxel_mm"), [((1, 64, 35), (3.4, 3.4, 4.0)), ((40, 40, 12), (0.5, 0.5, 0.5)), ((2, 3, 1), (0.5, 9, 1))]
)
def test_a_field_of_few_voxels_is_followed(shape: tuple[int, int, int], voxel_mm: tuple[float, float, float]) -> None:
    """Along an axis that is too short to be averaged, or has no slope, nothing moves; a still head is still."""
    volume = np.random.default_rng(0).uniform(0, 1000, shape).astype(np.float32)
    np.testing.assert_allclose(HeadMotion(volume, voxel_mm).push(volume), 0, atol=1e-6)


@given(arrays(float, 6, elements=st.floats(-1.2, 1.2)))
def test_parameters_and_matrix_are_each_others_inverse(parameters: NDArray[np.float64]) -> None:
    """Below a right angle nothing is lost."""
    np.testing.assert_allclose(parameters_of(rigid(parameters)), parameters, atol=1e-9)


@given(arrays(float, (5, 6), elements=st.floats(-3, 3)), arrays(float, 6, elements=st.floats(-3, 3)))
def test_displacement_is_a_way(parameters: NDArray[np.float64], constant: NDArray[np.float64]) -> None:
    """Never below 0, the same backwards, and without regard to where the head began."""
    way = framewise_displacement(parameters)
    assert way.shape == (4,) and (way >= 0).all()
    np.testing.assert_allclose(framewise_displacement(parameters[::-1])[::-1], way, atol=1e-9)
    np.testing.assert_allclose(framewise_displacement(parameters + constant), way, atol=1e-9)
