"""The graph is the bank and the network, to the bit whatever the batch."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import helper

from training.bundles.exact import Exact
from training.bundles.export import bands_graph, graph_of, raw_graph
from training.data.tokens import tokens
from training.models.heads import FmaScale, Heads
from training.models.networks import BandLstm, BankLstm, RawLstm, Scale, StackedLstm

#: Samples of a short window; ten steps of the bank.
SHORT = 1_000


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Return a session of one thread, as the bedside's."""
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])


def raw_net(**options: object) -> RawLstm:
    """Return an untrained network on samples whose outputs are not small."""
    torch.manual_seed(3)
    net = RawLstm(16, **options).eval()  # type: ignore[arg-type]
    with torch.no_grad():
        net.head.weight *= 20
    return net


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
    exact = Exact(net).outputs(x)["logit"]
    assert np.ptp(exact) > 0.05
    np.testing.assert_allclose(logit, expected.numpy(), atol=1e-5)
    np.testing.assert_allclose(logit, exact, atol=1e-5)
    np.testing.assert_allclose(embedding, hidden.numpy(), atol=1e-5)
    assert (logit.shape, embedding.shape) == ((4,), (4, 32))


NETWORKS = {
    "raw, the paper's": lambda scale: raw_net(),
    "raw, with points, mean over time": lambda scale: raw_net(readout="mean", heads=Heads(FmaScale(18.0, 8.0))),
    "raw, two narrow layers": lambda scale: raw_net(widths=(12, 7), heads=Heads(ordinal=True)),
    "bands, last state, with points": lambda scale: BandLstm(
        scale, readout="last", heads=Heads(FmaScale(18.0, 8.0), ordinal=True)
    ),
    "bands with a bank of its own": lambda scale: moved(BankLstm(scale, widths=(16, 8))),
}


def moved(net: BankLstm) -> BankLstm:
    """Return a network whose bank is no longer the fixed one."""
    with torch.no_grad():
        net.bank.kernels *= 1.5
    return net


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_every_network_is_its_graph(make, x):
    """Readout, widths, heads and bank: each output as float64 has it, and no other output."""
    short = x[:, 4_000 : 4_000 + SHORT]
    net: StackedLstm = make(Scale.of(tokens(x))).eval()
    session = session_of(graph_of(net, SHORT, 16))
    names = [output.name for output in session.get_outputs()]
    expected = Exact(net).outputs(short)
    assert set(names) == set(expected) == {"logit", "embedding"} | ({"fma"} if net.fma else set())
    for name, found in zip(names, session.run(names, {"x": short}), strict=True):
        assert np.ptp(expected[name]) > 0
        np.testing.assert_allclose(found, expected[name], atol=1e-5 if name != "fma" else 1e-4)


def test_points_are_points(x):
    """What the network standardised inside comes out on the scale of the score."""
    net = raw_net(heads=Heads(FmaScale(18.0, 8.0)))
    [fma] = session_of(raw_graph(net, SHORT, 16)).run(["fma"], {"x": x[:, :SHORT]})
    assert fma.shape == (4,) and np.all(np.abs(fma - 18.0) < 8.0)


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 8])
def test_a_window_s_bits_do_not_depend_on_its_batch(ort, x, batch):
    """Alone or among others, loud ones too: the same logit and embedding to the bit (law 1)."""
    unmoved_by_neighbours(ort, np.concatenate([x, x[::-1] * np.float32(30)]), batch)


@pytest.mark.parametrize("batch", [2, 5, 8])
def test_a_raw_window_s_bits_do_not_depend_on_its_batch(x, batch):
    """Neither do those of the network on samples."""
    windows = np.concatenate([x, x[::-1] * np.float32(30)])[:, :SHORT]
    unmoved_by_neighbours(session_of(raw_graph(raw_net(), SHORT, 16)), windows, batch)


def unmoved_by_neighbours(session: onnxruntime.InferenceSession, windows: np.ndarray, batch: int) -> None:
    """Check each window alone against itself in every batch of so many."""
    alone = [session.run(["logit", "embedding"], {"x": window[np.newaxis]}) for window in windows]
    for first in range(0, 8 - batch + 1):
        together = session.run(["logit", "embedding"], {"x": np.ascontiguousarray(windows[first : first + batch])})
        for i, (logit, embedding) in enumerate(zip(*together, strict=True)):
            assert logit.tobytes() == alone[first + i][0].tobytes()
            assert embedding.tobytes() == alone[first + i][1][0].tobytes()


def test_the_network_is_left_as_it_is(net, x):
    """Exporting and asking in float64 change neither weights nor their type."""
    before = {name: value.clone() for name, value in net.state_dict().items()}
    bands_graph(net, 10_000, 16)
    Exact(net).outputs(x[:1])
    after = net.state_dict()
    assert all(after[name].dtype == value.dtype and torch.equal(after[name], value) for name, value in before.items())


def test_graphs_are_small_and_of_one_opset(graph):
    """They ship in the repository."""
    for one in (graph, raw_graph(raw_net(), 10_000, 16)):
        assert one.ByteSize() < 1_500_000
        assert [(o.domain, o.version) for o in one.opset_import] == [("", 17)]
