"""Pictures of a head, as slices that were prepared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from inference.fmri.slices import IMAGENET_MEAN, IMAGENET_SD

#: Pixels of a side: three cells of the last feature map.
SIZE = 96


def heads(n: int, size: int = SIZE, seed: int = 0) -> NDArray[np.float32]:
    """Return slices of coarse noise inside an ellipse, scaled as prepared ones are; shape (n, 3, size, size)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    noise = np.kron(rng.normal(0.5, 0.15, (n, size // 8, size // 8)), np.ones((8, 8)))
    grey = np.where((x / 0.75) ** 2 + (y / 0.9) ** 2 < 1, noise.clip(0, 1), 0.0)
    mean, sd = (np.array(values).reshape(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_SD))
    return ((grey[:, np.newaxis] - mean) / sd).astype(np.float32)
