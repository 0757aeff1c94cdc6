"""The graph of an image network is the network: on all five, for any number of slices."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from tests.training.networks import EACH
from tests.training.pictures import heads
from training.backbones.backbone import Backbone, create
from training.backbones.catalogue import SIZE
from training.backbones.sanity import settled
from training.backbones.weights import Weights
from training.bundles.parity import Graph
from training.bundles.slice_export import slice_graph
from training.bundles.slice_parity import SLICE_LOGIT_ATOL, pass_slice_parity
from training.errors import GateError

X = heads(3, SIZE)


def network(name: str, seed: int = 1) -> Backbone:
    """Return a random network with the statistics of the slices."""
    return settled(create(name, weights=Weights(), seed=seed), X)


@pytest.fixture(scope="module")
def shufflenet() -> Backbone:
    """Return the smallest."""
    return network("shufflenet")


@pytest.fixture(scope="module")
def graph(shufflenet: Backbone) -> bytes:
    """Return its graph."""
    return slice_graph(shufflenet).SerializeToString()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", EACH)
def test_every_backbone_is_exported_within_the_bound(name):
    """Logit and features against float64, and no slice's bits depend on its batch."""
    net = network(name)
    differences = pass_slice_parity(net, slice_graph(net).SerializeToString(), X, name)
    assert set(differences) == {"logit", "features"}
    assert differences["logit"] <= SLICE_LOGIT_ATOL


def test_the_graph_takes_any_number_of_slices(graph):
    """None too many, none too few: the exporter saw two."""
    net = Graph(graph)
    assert (net.input.name, net.input.shape) == ("slices", ("n", 3, SIZE, SIZE))
    for n in (1, 5):
        outputs = net.run({"slices": np.zeros((n, 3, SIZE, SIZE), np.float32)})
        assert outputs["logit"].shape == (n,) and outputs["features"].shape == (n, 1024, 7, 7)


def test_a_graph_names_its_tensors_and_nothing_of_the_machine(graph):
    """Producer, version of the operators, outputs with their shapes in full; no path."""
    model = onnx.load_from_string(graph)
    assert (model.producer_name, model.graph.name, model.opset_import[0].version) == ("flexion", "shufflenet", 17)
    assert [output.name for output in model.graph.output] == ["logit", "features"]
    assert b"site-packages" not in graph and b".py" not in graph


def test_export_leaves_the_network_as_it_is(shufflenet):
    """Its weights, and whether it trains."""
    before = {name: value.clone() for name, value in shufflenet.state_dict().items()}
    shufflenet.train()
    slice_graph(shufflenet)
    assert shufflenet.training
    shufflenet.eval()
    assert all(torch.equal(before[name], value) for name, value in shufflenet.state_dict().items())


@pytest.mark.parametrize(("name", "output"), [("logit", "logit"), ("features", "features")])
def test_the_graph_of_another_network_is_refused(name, output, shufflenet, graph):
    """A logit or a feature that is too far away, by name."""
    other = network("shufflenet")
    with torch.no_grad():
        if name == "logit":
            other.net.get_submodule("fc").get_parameter("bias").add_(0.01)
        else:
            layer = other.net.get_submodule("fc")
            layer.get_parameter("weight").zero_()
            layer.get_parameter("bias").zero_()
            graph = slice_graph(other).SerializeToString()
            other.net.get_submodule("conv5.1").get_parameter("weight").mul_(1.1)
    with pytest.raises(GateError, match=f"graph of x is not its network: its {output} is .* away"):
        pass_slice_parity(other, graph, X, "x")


def test_bits_that_depend_on_the_batch_are_refused(shufflenet, graph, monkeypatch):
    """A slice is scored alike alone and among others (law 1)."""
    run = Graph.run

    def leaky(self, inputs):
        outputs = run(self, inputs)
        return outputs | {"logit": outputs["logit"] + np.float32(1e-5 * len(outputs["logit"]))}

    monkeypatch.setattr(Graph, "run", leaky)
    with pytest.raises(GateError, match="bits change from run to run, or with the batch"):
        pass_slice_parity(shufflenet, graph, X, "x")
