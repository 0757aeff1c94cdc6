"""A few small slices, and each network with the statistics of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from tests.training.pictures import heads
from training.backbones.backbone import Backbone, create
from training.backbones.sanity import settled
from training.backbones.weights import Weights

Make = Callable[[str], Backbone]


@pytest.fixture(scope="session")
def slices() -> NDArray[np.float32]:
    """Return four slices, not to be written."""
    made = heads(4)
    made.flags.writeable = False
    return made


@pytest.fixture(scope="session")
def network(slices: NDArray[np.float32]) -> Make:
    """Return what makes a network by its name, once: random weights, normalised on the slices, logits that differ."""

    @cache
    def make(name: str) -> Backbone:
        net = settled(create(name, weights=Weights(), seed=1), slices.copy())
        with torch.no_grad():
            net.net.get_submodule(net.architecture.classifier).get_parameter("weight").mul_(10.0)
        return net

    return make
