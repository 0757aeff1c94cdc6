"""The five networks are the published ones: the libraries' own, with the published names, shapes and addresses."""

from __future__ import annotations

import pytest

from training.backbones.backbone import build
from training.backbones.catalogue import ARCHITECTURES, NAMES
from training.backbones.library import load
from training.backbones.weights import body_of, digest

#: By name: where the library says that its weights are published, and how many numbers they are, where it says so.
TORCHVISION = {
    "shufflenet": "ShuffleNet_V2_X1_0_Weights.IMAGENET1K_V1",
    "regnet": "RegNet_Y_400MF_Weights.IMAGENET1K_V2",
    "resnet50": "ResNet50_Weights.IMAGENET1K_V2",
}
TIMM = {"fbnet": "fbnetc_100.rmsp_in1k", "ghostnet": "ghostnet_100.in1k", "regnet": "regnety_004.tv2_in1k"}


def test_they_are_five_in_the_order_of_the_table():
    """Each under one name."""
    assert NAMES == ("shufflenet", "fbnet", "ghostnet", "regnet", "resnet50")


@pytest.mark.parametrize("name", NAMES)
def test_names_and_shapes_are_those_of_the_published_weights(name):
    """With the classifier that tells a thousand things apart, as published; the digest is over the rest."""
    architecture = ARCHITECTURES[name]
    state = build(architecture, n_outputs=1000, seed=0).state_dict()
    body = body_of(state, architecture)
    assert digest(body) == architecture.published.tensors
    dropped = {key.removeprefix(f"{architecture.classifier}."): tuple(state[key].shape) for key in state.keys() - body}
    assert dropped["bias"] == (1000,) and dropped["weight"][0] == 1000 and len(dropped) == 2


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_published_as_many_numbers_at_that_address(name):
    """The library's own record of the file."""
    published = load("torchvision").models.get_weight(TORCHVISION[name])
    architecture = ARCHITECTURES[name]
    net = build(architecture, n_outputs=1000, seed=0)
    assert sum(part.numel() for part in net.parameters()) == published.meta["num_params"]
    assert architecture.published.address == published.url
    assert architecture.published.file == published.url.rpartition("/")[2]
    assert architecture.published.sha256_prefix in architecture.published.file


@pytest.mark.parametrize("name", TIMM)
def test_timm_names_that_address(name):
    """The library's own record of the file, at its publisher's or in timm's own collection."""
    config = load("timm").get_pretrained_cfg(TIMM[name])
    known = {config.url, f"https://huggingface.co/{config.hf_hub_id}/resolve/main/model.safetensors"}
    assert ARCHITECTURES[name].published.address in known


def test_fbnet_normalises_as_its_weights_were_trained():
    """Another epsilon loads without a word and answers otherwise."""
    net = build(ARCHITECTURES["fbnet"], n_outputs=1, seed=0)
    assert {layer.eps for layer in net.modules() if hasattr(layer, "eps")} == {1e-3}
