"""Parity of an image network: its graph is the network, and no slice's bits depend on others.

What runs at the bedside is ONNX Runtime in float32, so that is what is held against float64 here.
"""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from inference.engines import parity as engines
from inference.engines.engine import MAX_BATCH
from training.backbones.backbone import Backbone
from training.bundles.parity import BATCHES, Graph
from training.errors import GateError

#: Largest difference of a logit between two engines that may serve one patient; a manifest's ``parity.logit_atol``. A
#: network of fifty layers rounds more than one of three; a thousandth of a logit moves a chance by 0.025 % at most.
SLICE_LOGIT_ATOL = 1e-3
#: Largest difference of a feature from float64, as a share of the largest feature. Maps are drawn of them, and nobody
#: sees a hundredth of the strongest cell; float32 by itself is 2.5e-4 off in FBNet.
FEATURES_RTOL = 1e-2
#: Slices that are run at once in float64; a wide network takes 100 MB for each.
TOGETHER = 4


def pass_slice_parity(
    backbone: Backbone, model: bytes, slices: NDArray[np.float32], name: str, logit_atol: float = SLICE_LOGIT_ATOL
) -> dict[str, float]:
    """Return the largest difference of each output between graph and network, if the graph may leave.

    Parameters
    ----------
    backbone : Backbone
        Trained; left as it is.
    model : bytes
        Its graph, serialised.
    slices : ndarray, shape (n, 3, size, size), float32
        Prepared.
    name : str
        Of the bundle, for the refusal.
    logit_atol : float
        Largest difference of a logit; a manifest's ``parity.logit_atol``.

    Returns
    -------
    dict
        ``logit``, and ``features`` as a share of the largest one.

    Raises
    ------
    GateError
        If an output differs by more, is not finite, or if a slice's bits change from run to run or with its batch.
    """
    graph, exact = Graph(model), exact_outputs(backbone, slices)
    found = [graph.outputs(slices, batch) for batch in BATCHES]
    scale = {"logit": 1.0, "features": float(np.abs(exact["features"]).max()) or 1.0}
    largest = {
        output: float(np.max([np.abs(one[output] - values).max() for one in found])) / scale[output]
        for output, values in exact.items()
    }
    for output, atol in (("logit", logit_atol), ("features", FEATURES_RTOL)):
        if not largest[output] <= atol:
            raise _refusal(name, f"{output} is {largest[output]:.1e} away from the network's, {atol:g} is allowed")
    checked = engines.settle(engines.check(graph.run, graph.input, (), logit_atol, MAX_BATCH))
    if not (checked.repeatable and checked.batch_invariant):
        raise _refusal(name, "bits change from run to run, or with the batch that a slice is in")
    return largest


def exact_outputs(backbone: Backbone, slices: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    """Return ``logit`` and ``features`` of slices in float64; the network is left as it is."""
    net = copy.deepcopy(backbone).double().cpu().eval()
    parts = [torch.from_numpy(slices[i : i + TOGETHER]).double() for i in range(0, len(slices), TOGETHER)]
    with torch.no_grad():
        pairs = [net(part) for part in parts]
    return {name: torch.cat([pair[i] for pair in pairs]).numpy() for i, name in enumerate(("logit", "features"))}


def _refusal(name: str, words: str) -> GateError:
    remedy = "Report it with the run's config.toml."
    return GateError(f"The graph of {name} is not its network: its {words}.", subject=name, remedy=remedy)
