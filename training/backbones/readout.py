"""What lies between feature map and logit, as arrays: the bedside draws its maps from them without torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from inference.fmri.gradcam import Readout
from training.backbones.backbone import Backbone


def linears_of(backbone: Backbone) -> tuple[nn.Module, ...]:
    """Return the layers behind the pooling, in order, a rectifier between each two.

    All five pool by the mean. Four go on with one linear layer; GhostNet widens its 960 features to 1280 first, by a
    convolution that sees one pixel and is a linear layer too.
    """
    classifier = backbone.net.get_submodule(backbone.architecture.classifier)
    return (*(backbone.net.get_submodule(layer) for layer in backbone.architecture.hidden), classifier)


def readout_of(backbone: Backbone) -> Readout:
    """Return a network's readout; its logits of the pooled features are the network's own, in evaluation.

    Parameters
    ----------
    backbone : Backbone
        Left as it is.
    """
    return Readout.of(*(_arrays(layer) for layer in linears_of(backbone)))


def _arrays(layer: nn.Module) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    weight, bias = _numbers(layer.get_parameter("weight")), _numbers(layer.get_parameter("bias"))
    return weight.reshape(weight.shape[:2]), bias


def _numbers(value: Tensor) -> NDArray[np.float64]:
    return np.asarray(value.detach().cpu().double().numpy())
