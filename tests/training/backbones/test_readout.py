"""The readout in numpy is the network's own head, and its map is Grad-CAM by automatic differentiation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from inference.fmri.gradcam import cam
from training.backbones.catalogue import NAMES
from training.backbones.readout import readout_of
from training.backbones.sanity import grad_cam


@pytest.mark.parametrize("name", NAMES)
def test_the_closed_form_is_grad_cam(name, network, slices):
    """Both signs, on all five, to 1e-5 of the largest value; the logits too."""
    net = network(name)
    with torch.no_grad():
        logit, features = net(torch.from_numpy(slices.copy()))
    closed, automatic = cam(features.numpy(), readout_of(net)), grad_cam(net, slices.copy())
    scale = np.abs(closed.signed).max()
    assert scale > 0 and (closed.positive.any() or closed.negative.any())
    assert np.abs(closed.positive - automatic.positive).max() <= 1e-5 * scale
    assert np.abs(closed.negative - automatic.negative).max() <= 1e-5 * scale
    assert np.allclose(closed.logits, logit.numpy(), rtol=1e-4, atol=1e-5)


def test_ghostnets_head_is_chained(network):
    """960 pooled features, widened to 1280 behind a rectifier; the others have one layer."""
    layers = {name: readout_of(network(name)).layers for name in NAMES}
    assert layers.pop("ghostnet") == ("linear", "relu", "linear")
    assert set(layers.values()) == {("linear",)}


def test_the_wrong_readout_is_not_grad_cam(network, slices):
    """What the comparison above would tell: a head that forgets its rectifier gives other maps."""
    net = network("ghostnet")
    with torch.no_grad():
        features = net.features(torch.from_numpy(slices.copy())).numpy()
    first, last = readout_of(net).linears
    flat = readout_of(net).of((last.weight @ first.weight, last.weight @ first.bias + last.bias))
    automatic = grad_cam(net, slices.copy())
    assert np.abs(cam(features, flat).positive - automatic.positive).max() > 1e-3 * automatic.positive.max()
