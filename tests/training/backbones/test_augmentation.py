"""Slices are turned, mirrored and lit within bounds, by torch's generator, and never moved out of their range."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from inference.fmri.slices import IMAGENET_MEAN, IMAGENET_SD
from tests.training.pictures import heads
from training.backbones.augmentation import SliceAugmentation, augmented
from training.errors import TrainingError

NOTHING = SliceAugmentation(rotation_deg=0.0, flip=False, brightness=0.0)
X = torch.from_numpy(heads(16))


def grey(x: Tensor) -> Tensor:
    """Return slices in [0, 1]."""
    return x * torch.tensor(IMAGENET_SD).view(1, 3, 1, 1) + torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)


@given(degrees=st.floats(0, 180), flip=st.booleans(), brightness=st.floats(0, 0.9), seed=st.integers(0, 2**32))
def test_whatever_is_drawn_stays_a_slice(degrees, flip, brightness, seed):
    """Same shape and type, in range, input untouched, the same from the same seed."""
    before = X.clone()
    torch.manual_seed(seed)
    one = augmented(X, SliceAugmentation(degrees, flip, brightness))
    torch.manual_seed(seed)
    other = augmented(X, SliceAugmentation(degrees, flip, brightness))
    assert torch.equal(one, other) and torch.equal(X, before)
    assert one.shape == X.shape and one.dtype == X.dtype
    assert float(grey(one).min()) >= -1e-5 and float(grey(one).max()) <= 1 + 1e-5


def test_nothing_asked_for_is_nothing_done():
    """Only rounding is left."""
    assert torch.allclose(augmented(X, NOTHING), X, atol=1e-4)


def test_half_are_mirrored_left_to_right():
    """A mirrored slice is the slice read backwards along its rows; both kinds occur."""
    torch.manual_seed(0)
    made = augmented(X, SliceAugmentation(rotation_deg=0.0, flip=True, brightness=0.0))
    mirrored = [torch.allclose(a, b.flip(-1), atol=1e-3) for a, b in zip(made, X, strict=True)]
    same = [torch.allclose(a, b, atol=1e-3) for a, b in zip(made, X, strict=True)]
    assert 4 <= sum(mirrored) <= 12 and sum(mirrored) + sum(same) == 16


def test_without_the_mirror_sides_stay():
    """A bright left half stays on the left however it is turned."""
    x = torch.zeros(32, 3, 64, 64)
    x[..., :32] = 1.0
    made = augmented((x - 0.5), SliceAugmentation(flip=False))
    assert bool((made[..., 8:24].mean(dim=(1, 2, 3)) > made[..., 40:56].mean(dim=(1, 2, 3))).all())


def test_a_turn_is_a_turn_of_both_directions():
    """A bar through the middle comes out at angles within 15 degrees, on both sides; the corner is background."""
    x = (torch.zeros(64, 3, 65, 65) - torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1)) / torch.tensor(IMAGENET_SD).view(
        1, 3, 1, 1
    )
    x[:, :, 32, :] = 1.0
    torch.manual_seed(1)
    made = grey(augmented(x, SliceAugmentation(flip=False, brightness=0.0)))[:, 0]
    rows = torch.arange(65.0)
    right = (made[:, :, 52] * rows).sum(1) / made[:, :, 52].sum(1) - 32
    angles = torch.rad2deg(torch.atan2(right, torch.tensor(20.0)))
    assert float(angles.abs().max()) <= 15.5 and float(angles.min()) < -7 and float(angles.max()) > 7
    assert float(made[:, 0, 0].abs().max()) < 1e-5


@pytest.mark.parametrize("values", [{"rotation_deg": -1.0}, {"rotation_deg": 181.0}, {"brightness": 1.0}])
def test_what_makes_no_sense_is_refused(values):
    """Named with the values."""
    with pytest.raises(TrainingError, match="Slices cannot be turned by"):
        SliceAugmentation(**values)
