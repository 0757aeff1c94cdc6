"""Windows as they are shown: bad channels as the gate leaves them, crops of a second."""

from __future__ import annotations

import numpy as np
import torch

from training.data.tokens import FLOOR
from training.fitting.augmentation import CROP, SILENT, cropped, with_bad_channels


def test_bad_channels_are_shown_as_the_gate_leaves_them():
    """All bands of a channel at once are the floor's logarithm; the others keep their values."""
    torch.manual_seed(0)
    x = torch.randn(50, 20, 8)
    shown = with_bad_channels(x, 0.3, n_values=4, silent=SILENT)
    silent = (shown == np.float32(SILENT)).all(dim=1)
    assert torch.equal(silent[:, :4].all(dim=1), silent[:, :4].any(dim=1))
    assert 0.15 < silent.float().mean() < 0.45
    assert torch.equal(shown[~silent.unsqueeze(1).expand_as(x)], x[~silent.unsqueeze(1).expand_as(x)])
    assert np.isclose(SILENT, np.log(FLOOR))


def test_a_bad_channel_of_samples_is_zeros():
    """As the bedside zeroes it after the z-score."""
    torch.manual_seed(0)
    shown = with_bad_channels(torch.ones(40, 30, 5), 0.5, n_values=1, silent=0.0)
    assert torch.equal(shown.amin(dim=1), shown.amax(dim=1))
    assert 0.3 < shown.mean() < 0.7


def test_without_a_chance_nothing_is_drawn():
    """The generator stays where it is."""
    x = torch.ones(2, 3, 4)
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    assert with_bad_channels(x, 0.0, n_values=1, silent=0.0) is x
    assert torch.equal(torch.rand(1), expected)


def test_a_crop_is_a_second_from_anywhere():
    """The same second of all windows, in order; a window that is shorter is shown whole."""
    torch.manual_seed(0)
    x = torch.arange(10_000.0).reshape(1, -1, 1).repeat(2, 1, 3)
    starts = []
    for _ in range(20):
        crop = cropped(x)
        assert crop.shape == (2, CROP, 3)
        assert (crop.diff(dim=1) == 1).all()
        starts.append(float(crop[0, 0, 0]))
    assert max(starts) - min(starts) > 3000
    assert cropped(x[:, :300]).shape == (2, 300, 3)
