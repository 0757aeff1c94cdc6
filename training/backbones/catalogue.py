"""The five image networks: which variant of each, from which library, with which published weights.

The paper names ShuffleNet, FBNet, GhostNet, RegNet and ResNet50 and no variant but the last; the others are our choice:
ShuffleNetV2 x1.0, FBNet-C, GhostNet x1.0 and RegNetY-400MF, the ones whose weights are published and whose size is
nearest the smallest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

#: Pixels of a side of a slice; all published weights were trained at it.
SIZE = 224
#: Rows and columns of the last feature map: a fifth power of two below `SIZE`.
GRID = 7


@dataclass(frozen=True)
class Published:
    """Weights as they are published, trained on ImageNet.

    Parameters
    ----------
    file : str
        Name under which they lie in the folder of weights: their own, or the network's where theirs is no name.
    address : str
        Where they are published.
    sha256_prefix : str
        Start of the SHA-256 of the file, which its publisher put into its name; empty where there is none.
    tensors : str
        SHA-256 over names and shapes of all tensors but the classifier's (:func:`training.backbones.weights.digest`).
    """

    file: str
    address: str
    sha256_prefix: str
    tensors: str


@dataclass(frozen=True)
class Architecture:
    """One network.

    Parameters
    ----------
    name : str
        By which it is asked for.
    words : str
        What it is, for people.
    library : {"timm", "torchvision"}
        Where its code and its weights come from.
    model : str
        Its name in that library.
    n_features : int
        Channels of the last feature map.
    classifier : str
        Name of the layer that gives the logit; that of the published weights tells 1000 things apart and is dropped.
    body : tuple of str
        Layers from slice to feature map, in order; empty where the library has a method for it.
    hidden : tuple of str
        Layers between the pooled feature map and the classifier, a rectifier behind each; of GhostNet alone.
    options : tuple of (str, float)
        What it is built with beyond the library's defaults.
    renamed_by : str
        Module of timm that knows its published tensors by another library's names; empty where they have their own.
    published : Published
    """

    name: str
    words: str
    library: Literal["timm", "torchvision"]
    model: str
    n_features: int
    classifier: str
    published: Published
    body: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    options: tuple[tuple[str, float], ...] = ()
    renamed_by: str = ""


_ALL = (
    Architecture(
        name="shufflenet",
        words="ShuffleNetV2 x1.0",
        library="torchvision",
        model="shufflenet_v2_x1_0",
        n_features=1024,
        classifier="fc",
        body=("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5"),
        published=Published(
            file="shufflenetv2_x1-5666bf0f80.pth",
            address="https://download.pytorch.org/models/shufflenetv2_x1-5666bf0f80.pth",
            sha256_prefix="5666bf0f80",
            tensors="dd8287f306da6c0902d4a1f54c377df4ff7c1926c7a04ad53c8755362586a4e8",
        ),
    ),
    Architecture(
        name="fbnet",
        words="FBNet-C",
        library="timm",
        model="fbnetc_100",
        n_features=1984,
        classifier="classifier",
        # As its weights were trained: with torch's 1e-5 they load without a word and answer otherwise.
        options=(("bn_eps", 1e-3),),
        published=Published(
            file="fbnetc_100-c345b898.pth",
            address="https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
            "fbnetc_100-c345b898.pth",
            sha256_prefix="c345b898",
            tensors="84f78305809adb9160a1f9272056727e2ba08d9ed0f815ddaddee9f096182760",
        ),
    ),
    Architecture(
        name="ghostnet",
        words="GhostNet x1.0",
        library="timm",
        model="ghostnet_100",
        n_features=960,
        classifier="classifier",
        hidden=("conv_head",),
        published=Published(
            file="ghostnet_100.in1k.safetensors",
            address="https://huggingface.co/timm/ghostnet_100.in1k/resolve/main/model.safetensors",
            sha256_prefix="",
            tensors="0d9fb578ec450bf31af39a97d501e40aa293f8f110ad621f8a78b53536dc1a95",
        ),
    ),
    Architecture(
        name="regnet",
        words="RegNetY-400MF",
        library="timm",
        model="regnety_004",
        n_features=440,
        classifier="head.fc",
        renamed_by="timm.models.regnet",
        published=Published(
            file="regnet_y_400mf-e6988f5f.pth",
            address="https://download.pytorch.org/models/regnet_y_400mf-e6988f5f.pth",
            sha256_prefix="e6988f5f",
            tensors="e42df2027b72204da903017188dba76b632390bb060a8b5846e24cde3c405928",
        ),
    ),
    Architecture(
        name="resnet50",
        words="ResNet50",
        library="torchvision",
        model="resnet50",
        n_features=2048,
        classifier="fc",
        body=("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"),
        published=Published(
            file="resnet50-11ad3fa6.pth",
            address="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
            sha256_prefix="11ad3fa6",
            tensors="28d734651fb04e2ba06ec63f22591a8ec01fe7e6fb1fb71821e36502d21837b1",
        ),
    ),
)
#: The five, by name.
ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType({one.name: one for one in _ALL})
#: Their names.
NAMES: tuple[str, ...] = tuple(ARCHITECTURES)
