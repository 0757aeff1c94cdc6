"""Slices: which count, where a pixel lies in the scan and back again, and what it is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from inference.fmri.slices import (
    IMAGENET_MEAN,
    IMAGENET_SD,
    Grid,
    between,
    for_network,
    laid_back,
    resampled,
    scaled,
    screen,
)
from tests.inference.fmri import heads

SIZE, MM = 40, 5.5


def grid(mask: np.ndarray | None = None) -> Grid:
    """Return a coarse grid around the test's brain."""
    return Grid.around(heads.brain() if mask is None else mask, heads.VOXEL_MM[:2], SIZE, MM)


def test_slices_of_half_the_widest_area_count() -> None:
    """The bound itself counts; slices without brain never do."""
    mask = np.zeros((4, 5, 6), bool)
    for index, area in enumerate((0, 9, 10, 20, 10, 1)):
        mask[..., index].flat[:area] = True
    assert screen(mask, 0.5).tolist() == [2, 3, 4]
    assert screen(mask, 0.01).tolist() == [1, 2, 3, 4, 5]
    assert screen(np.zeros((2, 2, 2), bool), 0.5).tolist() == []


def test_the_middle_of_the_brain_is_the_middle_of_the_field() -> None:
    """Wherever the head lay in the scanner."""
    moved = np.roll(heads.brain(), (2, -1), axis=(0, 1))
    assert grid().centre == (9.5, 10.0)
    assert grid(moved).centre == (11.5, 9.0)


@given(st.tuples(st.floats(0, 60), st.floats(0, 60)), st.floats(0.5, 8), st.floats(0.5, 8), st.floats(0.5, 2))
def test_pixels_and_voxels_are_each_others_inverse(
    centre: tuple[float, float], wide_mm: float, long_mm: float, mm: float
) -> None:
    """From a pixel to its place among the voxels and back."""
    one = Grid(SIZE, mm, centre, (wide_mm, long_mm))
    rows, columns = one.pixels()
    at_rows, at_columns = one.voxels((64, 60))
    np.testing.assert_allclose(
        np.interp(rows, np.arange(60), at_rows, -9, -9)[_in(rows, 60)], _pixels(rows, 60), atol=1e-6
    )
    np.testing.assert_allclose(
        np.interp(columns, np.arange(64), at_columns)[_in(columns, 64)], _pixels(columns, 64), atol=1e-6
    )


def _in(positions: np.ndarray, n: int) -> np.ndarray:
    return np.asarray((positions >= 0) & (positions <= n - 1))


def _pixels(positions: np.ndarray, n: int) -> np.ndarray:
    return np.flatnonzero(_in(positions, n)).astype(float)


def test_front_is_up_and_the_patients_left_is_left() -> None:
    """Row 0 lies in front, column 0 on the patient's left, as the docs say."""
    ramp = np.indices(heads.SHAPE)[0] + 100.0 * np.indices(heads.SHAPE)[1]
    image = resampled(ramp.astype(np.float32), np.array([7]), grid())[0]
    inside = image[10:30, 10:30]
    assert (np.diff(inside, axis=0) < 0).all() and (np.diff(inside, axis=1) > 0).all()


def test_resampling_is_linear_interpolation() -> None:
    """Pixel by pixel as scipy has it."""
    volume = np.random.default_rng(0).uniform(0, 1, heads.SHAPE).astype(np.float32)
    one = Grid(SIZE, 4.0, (9.3, 10.2), heads.VOXEL_MM[:2])
    rows, columns = one.pixels()
    at = np.stack(np.broadcast_arrays(columns[np.newaxis], rows[:, np.newaxis]))
    found = resampled(volume, np.array([3, 9]), one)
    for image, index in zip(found, (3, 9), strict=True):
        np.testing.assert_allclose(
            image, ndimage.map_coordinates(volume[..., index], at, order=1, mode="nearest"), atol=1e-6
        )


def test_outside_the_scan_is_nothing() -> None:
    """A field that is wider than the scan is 0 there."""
    wide = Grid(SIZE, 10.0, (9.5, 9.5), heads.VOXEL_MM[:2])
    image = resampled(np.ones(heads.SHAPE, np.float32), np.array([0]), wide)[0]
    assert image.sum() == heads.SHAPE[0] * 21 and set(np.unique(image)) == {0.0, 1.0}


def test_values_are_scaled_within_the_brain() -> None:
    """The brain's mean is one half; nothing outside the brain has a say or a value."""
    mask = heads.brain()
    values = np.random.default_rng(0).normal(800, 50, heads.SHAPE).astype(np.float32)
    found = scaled(values, mask)
    assert found[mask].mean() == pytest.approx(0.5, abs=0.01) and found[mask].std() == pytest.approx(1 / 6, abs=0.01)
    assert found.min() >= 0 and found.max() <= 1 and not found[~mask].any()
    values[~mask] = 1e6
    np.testing.assert_array_equal(scaled(values, mask), found)


@pytest.mark.parametrize(("gain", "shift"), [(0.1, 0.0), (7.0, 300.0)])
def test_gain_and_offset_change_nothing(gain: float, shift: float) -> None:
    """Counts have no unit."""
    mask, values = heads.brain(), np.random.default_rng(1).normal(800, 50, heads.SHAPE).astype(np.float32)
    np.testing.assert_allclose(
        scaled((gain * values + shift).astype(np.float32), mask), scaled(values, mask), atol=1e-4
    )


def test_a_brain_of_one_value_is_grey() -> None:
    """Without any difference every voxel is the mean."""
    assert set(scaled(np.full(heads.SHAPE, 3.0, np.float32), heads.brain())[heads.brain()]) == {0.5}


def test_channels_are_those_of_imagenet() -> None:
    """Each with its own mean and deviation; float32 in C order."""
    channels = tuple(np.full((2, 4, 4), value) for value in IMAGENET_MEAN)
    assert not for_network((channels[0], channels[1], channels[2])).any()
    ones = np.ones((2, 4, 4))
    found = for_network((ones, ones, ones))
    assert found.shape == (2, 3, 4, 4) and found.dtype == np.float32 and found.flags.c_contiguous
    expected = [(1 - mean) / sd for mean, sd in zip(IMAGENET_MEAN, IMAGENET_SD, strict=True)]
    np.testing.assert_allclose(found[0, :, 0, 0], expected, rtol=1e-6)


def test_a_slice_is_laid_back_where_it_came_from() -> None:
    """Resampled to pixels and laid back, a smooth volume is itself, in slices that count alone."""
    at = np.indices(heads.SHAPE)
    volume = (np.sin(at[0] / 5) + np.cos(at[1] / 6) + at[2]).astype(np.float32)
    indices = np.array([4, 8])
    pixels = resampled(volume, indices, grid()).astype(np.float32)
    found = laid_back(pixels, indices, grid(), heads.SHAPE)
    np.testing.assert_allclose(found[2:-2, 2:-2, indices], volume[2:-2, 2:-2, indices], atol=0.05)
    assert not np.delete(found, indices, axis=2).any()


def test_a_coarse_map_lies_over_the_whole_field() -> None:
    """A cell of a 7 x 7 map is a seventh of the field, front left first; beyond the field is nothing."""
    coarse = np.zeros((1, 7, 7), np.float32)
    coarse[0, 0, 0] = 1.0
    narrow = Grid(SIZE, 3.0, (9.5, 10.0), heads.VOXEL_MM[:2])
    found = laid_back(coarse, np.array([5]), narrow, heads.SHAPE)[:, :, 5]
    # The field is 120 mm: from column 3.5 and row 16 on, to the right and to the back.
    column, row = np.unravel_index(np.argmax(found), found.shape)
    assert (column, row) == (4, 16) and not found[:3].any() and not found[:, 17:].any()
    everywhere = laid_back(np.ones((1, 7, 7), np.float32), np.array([5]), narrow, heads.SHAPE)
    assert everywhere.sum() == pytest.approx(12 * 13, abs=13)


@given(st.lists(st.floats(-3, 12), min_size=1, max_size=8), st.integers(1, 9))
def test_weights_between_cells(positions: list[float], n: int) -> None:
    """They sum to 1 inside and 0 outside, and give a line back as it was."""
    at = np.array(positions)
    found = between(at, n)
    inside = (at >= -0.5) & (at <= n - 0.5)
    np.testing.assert_allclose(found.sum(axis=1), inside, atol=1e-12)
    np.testing.assert_allclose((found @ np.arange(n))[inside], np.clip(at, 0, n - 1)[inside], atol=1e-9)
