"""Sanity: Grad-CAM by automatic differentiation, and whether a map shows what was learned (Adebayo et al. 2018).

A map that stays the same when the network's weights are drawn anew shows the picture, not the network. So the maps of
a network are held against those of the same network with random weights, and the correlation travels with the bundle.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata
from torch import Tensor, nn

from inference.fmri.gradcam import cam
from inference.image_spec import Sanity
from training.backbones.backbone import Backbone, create
from training.backbones.readout import readout_of
from training.backbones.weights import Weights

#: Times that the weights are drawn anew: one draw alone may look alike by chance.
N_DRAWS = 3
#: Slices that are run at once; a wide network takes some 50 MB for each.
TOGETHER = 8

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Maps:
    """Grad-CAM of slices for both outcomes, each of shape (n, 7, 7) and never below 0."""

    positive: Array
    negative: Array


def grad_cam(backbone: Backbone, slices: NDArray[np.float32]) -> Maps:
    """Return Grad-CAM by automatic differentiation, as Selvaraju et al. (2017) write it; the network is left as it is.

    Parameters
    ----------
    backbone : Backbone
        In float32 or float64.
    slices : ndarray, shape (n, 3, size, size)
        Prepared.
    """
    net = copy.deepcopy(backbone).eval()
    features = net.features(torch.from_numpy(slices).to(next(net.parameters()))).detach().requires_grad_()
    [gradient] = torch.autograd.grad(net.logit(features).sum(), features)
    signed = (gradient.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1).detach()
    return Maps(*(side.clamp(min=0.0).double().numpy() for side in (signed, -signed)))


def check(backbone: Backbone, slices: NDArray[np.float32], seed: int = 0, n_draws: int = N_DRAWS) -> Sanity:
    """Return how alike a network's maps are to those of the same network with random weights.

    Parameters
    ----------
    backbone : Backbone
        Trained; left as it is.
    slices : ndarray, shape (n, 3, size, size), float32
        Prepared; of a few patients.
    seed, n_draws : int
        Of the random weights.

    Returns
    -------
    Sanity
        The mean rank correlation, over slices and draws, of how strongly each cell was looked at, whatever its sign:
        a random network's sign is random too, and would pull the mean of signed maps to 0 all by itself.
    """
    own = strength(backbone, slices)
    drawn = (settled(create(backbone.name, weights=Weights(), seed=seed + i), slices) for i in range(n_draws))
    found = [correlations(own, strength(net, slices)) for net in drawn]
    return Sanity(float(np.mean(found)), len(slices))


def strength(backbone: Backbone, slices: NDArray[np.float32]) -> Array:
    """Return how strongly each cell of each slice was looked at, shape (n, 7, 7), of either sign."""
    readout, net = readout_of(backbone), copy.deepcopy(backbone).eval()
    with torch.no_grad():
        maps = [cam(net.features(part).cpu().numpy(), readout).signed for part in _parts(net, slices)]
    return np.abs(np.concatenate(maps))


def correlations(one: Array, other: Array) -> Array:
    """Return the rank correlation of each slice's two maps, shape (n,); 0 where a map is the same everywhere."""
    ranks = (rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (one, other))
    a, b = (rank - rank.mean(axis=1, keepdims=True) for rank in ranks)
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return np.divide((a * b).sum(axis=1), scale, out=np.zeros(len(a)), where=scale > 0.0)


def settled(backbone: Backbone, slices: NDArray[np.float32]) -> Backbone:
    """Return a copy whose batch normalisation has the statistics of these slices, as after a pass of training.

    Without them a random network's values grow from layer to layer, up to thousands.
    """
    net = copy.deepcopy(backbone).train()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            # The plain mean over all batches.
            layer.momentum = None
    with torch.no_grad():
        for part in _parts(net, slices):
            net.features(part)
    return net.eval()


def _parts(net: nn.Module, slices: NDArray[np.float32]) -> list[Tensor]:
    like = next(net.parameters())
    return [torch.from_numpy(slices[i : i + TOGETHER]).to(like) for i in range(0, len(slices), TOGETHER)]
