"""The graph is the bank and the network, to the bit whatever the batch."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper

from training.export import graph_of
from training.networks import BandLstm
from training.tokens import log_powers, tokens


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return a session of one thread, as the bedside's."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def graph(net: BandLstm) -> onnx.ModelProto:
    """Return the network's graph."""
    return graph_of(net, 10_000, 16)


@pytest.fixture(scope="module")
def ort(graph: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return it, running."""
    return session_of(graph)


def test_the_graph_s_tokens_are_training_s(graph, x):
    """One bank, two places: equal to 1e-5 (law 1)."""
    opened = onnx.ModelProto()
    opened.CopyFrom(graph)
    opened.graph.output.append(helper.make_tensor_value_info("tokens", onnx.TensorProto.FLOAT, [100, "batch", 64]))
    found = session_of(opened).run(["tokens"], {"x": x})[0].transpose(1, 0, 2)
    np.testing.assert_allclose(found, tokens(x), atol=1e-5, rtol=0)


def test_the_graph_s_logits_are_the_network_s(net, ort, x):
    """The same as torch, and as float64, to 1e-5."""
    logit, embedding = ort.run(["logit", "embedding"], {"x": x})
    with torch.no_grad():
        expected, hidden = net(torch.from_numpy(tokens(x)))
        exact = net.double()(torch.from_numpy(log_powers(x)))[0].numpy()
        net.float()
    assert np.ptp(exact) > 0.05
    np.testing.assert_allclose(logit, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(logit, exact, atol=1e-5)
    np.testing.assert_allclose(embedding, hidden.numpy(), atol=1e-5)
    assert (logit.shape, embedding.shape) == ((4,), (4, 32))


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 8])
def test_a_window_s_bits_do_not_depend_on_its_batch(ort, x, batch):
    """Alone or among others, loud ones too: the same logit and embedding to the bit (law 1)."""
    windows = np.concatenate([x, x[::-1] * np.float32(30)])
    alone = [ort.run(["logit", "embedding"], {"x": window[np.newaxis]}) for window in windows]
    for first in range(0, 8 - batch + 1):
        together = ort.run(["logit", "embedding"], {"x": windows[first : first + batch]})
        for i, (logit, embedding) in enumerate(zip(*together, strict=True)):
            assert logit.tobytes() == alone[first + i][0].tobytes()
            assert embedding.tobytes() == alone[first + i][1][0].tobytes()


def test_the_graph_is_small_and_of_one_opset(graph):
    """It ships in the repository."""
    assert graph.ByteSize() < 1_500_000
    assert [(o.domain, o.version) for o in graph.opset_import] == [("", 17)]
