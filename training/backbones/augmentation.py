"""Augmentation: slices as they are shown while a network learns: turned, mirrored, brighter or darker (the paper's)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from inference.fmri.slices import IMAGENET_MEAN, IMAGENET_SD
from training.errors import TrainingError

#: What a run says that mirrors its slices.
MIRRORED = (
    "Slices are mirrored at random while training: this network cannot tell the left half of a brain from the right."
)


@dataclass(frozen=True)
class SliceAugmentation:
    """How slices are changed, each by a draw of its own.

    Parameters
    ----------
    rotation_deg : float
        Turned by up to so much either way, about the middle.
    flip : bool
        Whether half of them are mirrored left to right. Off where the side of the lesion matters: see :data:`MIRRORED`.
    brightness : float
        Made up to this share brighter or darker.

    Raises
    ------
    TrainingError
        If a value makes no sense.
    """

    rotation_deg: float = 15.0
    flip: bool = True
    brightness: float = 0.2

    def __post_init__(self) -> None:
        if not (0.0 <= self.rotation_deg <= 180.0 and 0.0 <= self.brightness < 1.0):
            raise TrainingError(
                f"Slices cannot be turned by {self.rotation_deg:g} degrees and lit by {self.brightness:g}.",
                subject="augmentation",
                remedy="Take 0 to 180 degrees, and a brightness from 0 to below 1.",
            )


def augmented(x: Tensor, spec: SliceAugmentation) -> Tensor:
    """Return changed slices; torch's own generator draws, on the CPU, so that every device sees the same.

    Parameters
    ----------
    x : Tensor, shape (n, 3, size, size), float32
        As prepared: scaled by ImageNet's mean and deviation; left as they are.
    spec : SliceAugmentation

    Returns
    -------
    Tensor
        Of that shape; what is turned in from beyond the edge is background.
    """
    n = len(x)
    angles = (2.0 * torch.rand(n) - 1.0) * math.radians(spec.rotation_deg)
    mirrored = torch.rand(n) < (0.5 if spec.flip else 0.0)
    factors = 1.0 + (2.0 * torch.rand(n) - 1.0) * spec.brightness
    mean, sd = (x.new_tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_SD))
    # In [0, 1] the background is 0, which is what lies beyond the edge.
    plain = x * sd + mean
    grid = functional.affine_grid(_turns(angles, mirrored).to(x), list(x.shape), align_corners=False)
    turned = functional.grid_sample(plain, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    lit = (turned * factors.to(x).view(n, 1, 1, 1)).clamp(0.0, 1.0)
    return (lit - mean) / sd


def _turns(angles: Tensor, mirrored: Tensor) -> Tensor:
    """Return the affine matrices, shape (n, 2, 3), that look up a turned and perhaps mirrored slice."""
    sign = 1.0 - 2.0 * mirrored.float()
    cos, sin, zero = torch.cos(angles), torch.sin(angles), torch.zeros_like(angles)
    return torch.stack([torch.stack([sign * cos, -sign * sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1)
