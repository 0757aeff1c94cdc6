"""A graph that is not its network does not leave."""

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from training.bundles import parity
from training.bundles.export import raw_graph
from training.bundles.parity import Graph, pass_parity
from training.errors import GateError
from training.models.heads import FmaScale, Heads
from training.models.networks import RawLstm

N_SAMPLES, N_CHANNELS = 120, 4


@pytest.fixture
def small() -> RawLstm:
    """Return a small network with points."""
    torch.manual_seed(2)
    return RawLstm(N_CHANNELS, widths=(12, 8), heads=Heads(FmaScale(18.0, 8.0))).eval()


@pytest.fixture
def few() -> np.ndarray:
    """Return six windows of noise."""
    return np.random.default_rng(1).standard_normal((6, N_SAMPLES, N_CHANNELS)).astype(np.float32)


def serialised(net: RawLstm) -> bytes:
    """Return the bytes of its graph."""
    return raw_graph(net, N_SAMPLES, N_CHANNELS).SerializeToString()


def test_a_graph_of_its_network_leaves_with_its_differences(small, few):
    """One figure for each output."""
    found = pass_parity(small, serialised(small), few, "small")
    assert set(found) == {"logit", "embedding", "fma"}
    assert max(found.values()) < 1e-5


def test_the_graph_s_input_is_read_from_it(small):
    """The batch is free, the rest is not."""
    assert str(Graph(serialised(small)).input) == "x (batch, 120, 4) float32"


@pytest.mark.parametrize(("head", "by", "words"), [
    ("logit", 0.001, r"logit is 1\.0e-03 away from the network's, 0\.0001 is allowed"),
    ("fma", 0.1, r"fma is 8\.0e-01 away from the network's, 0\.01 is allowed"),
    ("logit", float("nan"), r"logit is nan away"),
])  # fmt: skip
def test_a_graph_of_another_network_is_refused(small, few, head, by, words):
    """Parity is a gate, not a remark; each head by itself."""
    model = serialised(small)
    line = small.head if head == "logit" else small.fma.linear
    line.bias.data += by
    with pytest.raises(GateError, match=f"The graph of small is not its network: its {words}"):
        pass_parity(small, model, few, "small")


def test_a_graph_whose_windows_leak_into_each_other_is_refused(small, few, monkeypatch):
    """A mean over the batch, too small for the comparison with float64, is seen in the bits (law 1)."""
    model = raw_graph(small, N_SAMPLES, N_CHANNELS)
    [logit] = [node for node in model.graph.node if node.output[0] == "logit"]
    logit.output[0] = "unspoilt"
    constant = helper.make_tensor("tiny", onnx.TensorProto.FLOAT, [1], [1e-6])
    model.graph.initializer.append(constant)
    model.graph.node.extend([
        helper.make_node("ReduceMean", ["unspoilt"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Mul", ["mean", "tiny"], ["leak"]),
        helper.make_node("Add", ["unspoilt", "leak"], ["logit"]),
    ])  # fmt: skip
    monkeypatch.setattr(parity, "MAX_BATCH", 8)
    with pytest.raises(GateError, match="bits change from run to run, or with the batch") as caught:
        pass_parity(small, model.SerializeToString(), few, "small")
    assert "multiples of 4" in caught.value.remedy
