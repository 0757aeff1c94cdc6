"""A backbone: slices in, one logit and the last feature map out; inside is the library's network, names unchanged."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from training.backbones.catalogue import ARCHITECTURES, NAMES, Architecture
from training.backbones.library import load
from training.backbones.weights import Initialised, Weights, body_of, read_weights
from training.errors import TrainingError

__all__ = ["NAMES", "Backbone", "create"]


class Backbone(nn.Module):
    """Slices (n, 3, 224, 224) to logit (n,) and features (n, n_features, 7, 7).

    Parameters
    ----------
    architecture : Architecture
        Which network.
    net : nn.Module
        The library's, with one output; its state dict has the library's names.
    initialised : Initialised
        Which first weights it had.
    """

    def __init__(self, architecture: Architecture, net: nn.Module, initialised: Initialised) -> None:
        super().__init__()
        self.architecture = architecture
        self.initialised = initialised
        self.net = net

    @property
    def name(self) -> str:
        """By which it is asked for."""
        return self.architecture.name

    def features(self, x: Tensor) -> Tensor:
        """Return the last feature map, shape (n, n_features, 7, 7)."""
        if not self.architecture.body:
            return cast(Tensor, self.net.forward_features(x))  # type: ignore[operator]
        for layer in self.architecture.body:
            x = self.net.get_submodule(layer)(x)
        return x

    def logit(self, features: Tensor) -> Tensor:
        """Return the logit of a feature map, shape (n,)."""
        if self.architecture.body:
            logits = self.net.get_submodule(self.architecture.classifier)(features.mean(dim=(2, 3)))
        else:
            logits = self.net.forward_head(features)  # type: ignore[operator]
        return cast(Tensor, logits).squeeze(-1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and features."""
        features = self.features(x)
        return self.logit(features), features


def create(name: str, *, weights: Weights, seed: int) -> Backbone:
    """Return a network before its training; the global random state is left as it was.

    Parameters
    ----------
    name : str
        One of `NAMES`.
    weights : Weights
        Its first weights; the classifier's are random always.
    seed : int
        Of the random ones: the same seed gives the same bits.

    Raises
    ------
    TrainingError
        If there is no such network.
    WeightsError
        If the weights are missing, broken or of another network.
    BadEnvironment
        If its library is not installed.
    """
    if name not in ARCHITECTURES:
        remedy = f"Name one of: {', '.join(NAMES)}."
        raise TrainingError(f"There is no image network {name!r}.", subject=name, remedy=remedy)
    architecture = ARCHITECTURES[name]
    state, initialised = read_weights(weights, architecture)
    net = build(architecture, n_outputs=1, seed=seed)
    if state:
        own = net.state_dict()
        classifier = {key: own[key] for key in own.keys() - body_of(own, architecture).keys()}
        net.load_state_dict({**state, **classifier}, strict=True)
    return Backbone(architecture, net, initialised)


def build(architecture: Architecture, n_outputs: int, seed: int) -> nn.Module:
    """Return the library's network with random weights of that seed and so many outputs.

    Its weights lie channels last, which a CPU convolves a tenth to two fifths faster.
    """
    library = load(architecture.library)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if architecture.library == "timm":
            net: nn.Module = library.create_model(
                architecture.model, num_classes=n_outputs, **dict(architecture.options)
            )
        else:
            net = library.models.get_model(architecture.model, weights=None, num_classes=n_outputs)
        # timm draws FBNet's from -1 to 1 where there is one output: its first logits would be some tens. All five
        # begin alike.
        cast(nn.Linear, net.get_submodule(architecture.classifier)).reset_parameters()
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
