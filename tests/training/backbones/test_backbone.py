"""Every backbone obeys one contract: logit and feature map, the same from the same seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from training.backbones.backbone import create
from training.backbones.catalogue import ARCHITECTURES, GRID, NAMES, SIZE
from training.backbones.kept import read_backbone, write_backbone
from training.backbones.weights import Weights
from training.errors import RunError, TrainingError
from training.fitting.checkpoints import write_checkpoint


@pytest.mark.parametrize("name", NAMES)
def test_slices_become_logits_and_feature_maps(name, network):
    """One logit for each slice, and a map of seven by seven from the size that slices have."""
    net = network(name)
    with torch.no_grad():
        logit, features = net(torch.zeros(2, 3, SIZE, SIZE))
    assert logit.shape == (2,)
    assert features.shape == (2, ARCHITECTURES[name].n_features, GRID, GRID)


@pytest.mark.parametrize("name", NAMES)
def test_the_logit_is_the_librarys_own(name, network, slices):
    """Body and head, taken apart, are the library's network in one."""
    net, x = network(name), torch.from_numpy(slices.copy())
    with torch.no_grad():
        assert torch.allclose(net(x)[0], net.net(x).squeeze(-1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_learns(name, slices):
    """A gradient reaches all of them."""
    net = create(name, weights=Weights(), seed=0).train()
    net(torch.from_numpy(slices.copy()))[0].square().sum().backward()
    assert all(weights.grad is not None for weights in net.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_all_five_begin_undecided(name):
    """Their classifiers' first weights are as small as their inputs are many, whatever the library does."""
    net = create(name, weights=Weights(), seed=0)
    layer = net.net.get_submodule(net.architecture.classifier)
    weight, bias = layer.get_parameter("weight").detach(), layer.get_parameter("bias").detach()
    bound = weight.shape[1] ** -0.5
    assert 0.9 * bound < float(weight.abs().max()) <= bound
    assert float(bias.abs().max()) <= bound


def test_a_seed_gives_the_same_bits_and_leaves_the_generator():
    """First weights are part of a run; whatever else is drawn does not depend on them."""
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, same, other = (create("ghostnet", weights=Weights(), seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[key], same[key]) for key in one)
    assert not all(torch.equal(one[key], other[key]) for key in one)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_network_that_there_is_not_is_refused():
    """With those that there are."""
    with pytest.raises(TrainingError, match=r"no image network 'vgg'.*shufflenet, fbnet, ghostnet, regnet, resnet50"):
        create("vgg", weights=Weights(), seed=0)


def test_a_network_is_kept_and_read_again(network, slices, tmp_path: Path):
    """The same answers, the same word on its first weights."""
    net, x = network("regnet"), torch.from_numpy(slices.copy())
    write_backbone(tmp_path / "best.pt", net, {"best_epoch": 3})
    read, facts = read_backbone(tmp_path / "best.pt")
    with torch.no_grad():
        assert np.array_equal(read(x)[0].numpy(), net(x)[0].numpy())
    assert (read.name, read.initialised, facts) == ("regnet", net.initialised, {"best_epoch": 3})
    assert not read.training


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path):
    """The state of a fit, or a network on EEG, is no backbone."""
    write_checkpoint(tmp_path / "best.pt", {"network": {}})
    with pytest.raises(RunError, match=r"best\.pt holds no image network"):
        read_backbone(tmp_path / "best.pt")


def test_a_checkpoint_of_other_tensors_is_refused(network, tmp_path: Path):
    """A library of another version may name them otherwise."""
    net = network("shufflenet")
    kept = {"backbone": "ghostnet", "initialised": net.initialised.to_json(), "facts": {}}
    write_checkpoint(tmp_path / "best.pt", kept | {"net": net.net.state_dict()})
    with pytest.raises(RunError, match=r"tensors that are not those of GhostNet x1\.0 in the timm of today"):
        read_backbone(tmp_path / "best.pt")
