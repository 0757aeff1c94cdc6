"""The sanity check tells a map that shows the network from one that shows the picture."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from tests.training.networks import EACH
from training.backbones.backbone import create
from training.backbones.sanity import check, correlations, settled, strength
from training.backbones.weights import Weights


@pytest.mark.parametrize("name", EACH)
def test_the_correlation_falls_when_weights_are_drawn_anew(name, network, slices):
    """Near 1 for the same weights a little shaken, and far lower for random ones; the network is left as it is."""
    net = network(name)
    before = copy.deepcopy(net.state_dict())
    shaken = copy.deepcopy(net)
    torch.manual_seed(0)
    with torch.no_grad():
        for weights in shaken.parameters():
            weights.mul_(1 + 1e-5 * torch.randn_like(weights))
    x = slices.copy()
    kept = float(correlations(strength(net, x), strength(shaken, x)).mean())
    found = check(net, x, seed=10, n_draws=2)
    assert kept > 0.9
    assert found.correlation < kept - 0.2
    assert found.n_slices == len(x)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_correlations_are_of_ranks():
    """1 for whatever keeps the order, -1 for what turns it round, 0 for a map that is the same everywhere."""
    maps = np.arange(9.0).reshape(1, 3, 3)
    pairs = [(maps, np.exp(maps)), (maps, -maps), (maps, np.ones((1, 3, 3)))]
    assert [float(correlations(one, other)[0]) for one, other in pairs] == pytest.approx([1, -1, 0])


def test_settling_gives_a_random_network_the_statistics_of_its_slices(slices):
    """Its features are of the size of 1, and the network itself is left as it is."""
    net = create("fbnet", weights=Weights(), seed=2).eval()
    x = torch.from_numpy(slices.copy())
    with torch.no_grad():
        before, after = net.features(x), settled(net, slices.copy()).features(x)
        again = net.features(x)
    assert torch.equal(before, again)
    assert float(before.abs().max()) > 20 * float(after.abs().max())
