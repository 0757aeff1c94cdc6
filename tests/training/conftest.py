"""A few simulated windows and a small untrained network, made once for a run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from acquisition.simulator import Patient
from inference.normalisation import zscore
from tests.training.cohorts import small_cohort  # noqa: F401 (a fixture)
from tests.training.simulated_windows import windows_of
from training.data.tokens import tokens
from training.models.networks import BandLstm, Scale


@pytest.fixture(scope="session")
def x() -> NDArray[np.float32]:
    """Return four z-scored windows of one patient, the first uncalibrated."""
    windows = windows_of(Patient.draw(1, effect=2), 44.0, still_s=5.0)
    return np.stack([zscore(window.x_uv, window.channel_quality) for window in windows])


@pytest.fixture(scope="session")
def net(x: NDArray[np.float32]) -> BandLstm:
    """Return an untrained network whose logits are not small."""
    torch.manual_seed(0)
    net = BandLstm(Scale.of(tokens(x))).eval()
    with torch.no_grad():
        net.head.weight *= 20
    return net
