"""Export: a trained network as one ONNX graph, written node by node, from z-scored window to logit.

By hand because the exporters freeze or unroll what must stay: the batch is free, the steps are fixed, and every
window's bits must not depend on its neighbours in the batch (law 1).

``x`` (batch, n_samples, n_channels) becomes ``logit`` (batch,), ``embedding`` (batch, width of the last LSTM) and, of a
network with that head, ``fma`` (batch,) in points. The ordinal head stays behind: nothing at the bedside reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from training.data.tokens import FLOOR, N_BANDS, BankSpec
from training.models.networks import CLIP, BandLstm, BankLstm, RawLstm, StackedLstm

#: Operators of this version are understood by every engine that a bundle meets.
OPSET = 17


def graph_of(net: StackedLstm, n_samples: int, n_channels: int) -> onnx.ModelProto:
    """Return the checked graph of a network, of either kind.

    Parameters
    ----------
    net : StackedLstm
        Trained; left as it is.
    n_samples, n_channels : int
        Of a window.
    """
    if isinstance(net, BandLstm):
        return bands_graph(net, n_samples, n_channels)
    return raw_graph(cast(RawLstm, net), n_samples, n_channels)


def bands_graph(net: BandLstm, n_samples: int, n_channels: int, spec: BankSpec | None = None) -> onnx.ModelProto:
    """Return the checked graph of a network on band tokens, its bank before it.

    Parameters
    ----------
    net : BandLstm
        Trained; left as it is. The bank of a ``BankLstm`` is its own.
    n_samples, n_channels : int
        Of a window.
    spec : BankSpec, optional
        The bank that its tokens came from.
    """
    spec = net.bank.spec if isinstance(net, BankLstm) else spec or BankSpec()
    kernels = _numbers(net.bank.kernels) if isinstance(net, BankLstm) else spec.kernels()[:, np.newaxis]
    writer = _Writer()
    tokens = _tokens(writer, spec, kernels, spec.n_steps(n_samples), n_channels)
    steps = _standardised(writer, net, tokens)
    return _model("lstm-bands", writer, net, steps, (n_samples, n_channels))


def raw_graph(net: RawLstm, n_samples: int, n_channels: int) -> onnx.ModelProto:
    """Return the checked graph of the paper's network, which reads every sample.

    Parameters
    ----------
    net : RawLstm
        Trained; left as it is.
    n_samples, n_channels : int
        Of a window.
    """
    writer = _Writer()
    steps = writer.add("Transpose", ["x"], "steps", perm=[1, 0, 2])
    return _model("lstm-raw", writer, net, steps, (n_samples, n_channels))


class _Writer:
    """Nodes and weights in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """Add a node; return its last output."""
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[-1], **attributes))
        return outputs[-1]

    def weight(self, name: str, value: NDArray[np.generic]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def floats(self, name: str, value: object) -> str:
        return self.weight(name, np.asarray(value, np.float32))

    def ints(self, name: str, *values: int) -> str:
        return self.weight(name, np.array(values, np.int64))


def _model(name: str, w: _Writer, net: StackedLstm, steps: str, shape: tuple[int, int]) -> onnx.ModelProto:
    """Write the LSTMs behind ``steps`` (n_steps, batch, n_inputs) and the heads; return the whole, checked."""
    _stack(w, net, steps)
    heads = _heads(w, net)
    value, width = helper.make_tensor_value_info, net.head.in_features
    inputs = [value("x", TensorProto.FLOAT, ["batch", *shape])]
    outputs = [value(head, TensorProto.FLOAT, ["batch"]) for head in heads]
    outputs.append(value("embedding", TensorProto.FLOAT, ["batch", width]))
    body = helper.make_graph(w.nodes, name, inputs, outputs, w.weights)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(body, opset_imports=[opset], producer_name="flexion", ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def _tokens(w: _Writer, spec: BankSpec, bank: NDArray[np.float64], n_steps: int, n_channels: int) -> str:
    """Write ``x`` to ``tokens``, shape (n_steps, batch, n_tokens): every channel is a row of one depthwise bank."""
    kernels = w.floats("bank", bank)
    sums = w.floats("bands", spec.sums()[:, :, np.newaxis])
    channels_first = w.add("Transpose", ["x"], "channels_first", perm=[0, 2, 1])
    rows = w.add("Reshape", [channels_first, w.ints("rows_shape", -1, 1, n_steps * spec.stride)], "rows")
    waves = w.add("Conv", [rows, kernels], "waves", strides=[spec.stride], pads=[spec.n_pad, 0])
    power = w.add("Conv", [w.add("Mul", [waves, waves], "squares"), sums], "power")
    logs = w.add("Log", [w.add("Add", [power, w.floats("floor", FLOOR)], "floored")], "logs")
    split = w.add("Reshape", [logs, w.ints("token_shape", -1, n_channels * N_BANDS, n_steps)], "by_token")
    return w.add("Transpose", [split], "tokens", perm=[2, 0, 1])


def _standardised(w: _Writer, net: BandLstm, tokens: str) -> str:
    """Write tokens to deviations from the training windows, held within ``CLIP``."""
    mean, inverse_sd = (_numbers(net.get_buffer(name)) for name in ("mean", "inverse_sd"))
    centred = w.add("Sub", [tokens, w.floats("token_mean", mean)], "centred")
    scaled = w.add("Mul", [centred, w.floats("token_inverse_sd", inverse_sd)], "scaled")
    return w.add("Clip", [scaled, w.floats("clip_low", -CLIP), w.floats("clip_high", CLIP)], "standardised")


def _stack(w: _Writer, net: StackedLstm, steps: str) -> None:
    """Write the LSTMs, and ``embedding``: the mean of the last one's states, or the last of them."""
    last = len(net.layers) - 1
    for i, layer in enumerate(cast("list[nn.LSTM]", net.layers)):
        weights = [w.floats(f"lstm{i}_{name}", value) for name, value in _lstm_weights(layer)]
        if i == last and net.readout == "last":
            state = w.add("LSTM", [steps, *weights], "", f"lstm{i}", hidden_size=layer.hidden_size)
            w.add("Squeeze", [state, w.ints(f"direction{i}", 0)], "embedding")
            return
        w.add("LSTM", [steps, *weights], f"lstm{i}", hidden_size=layer.hidden_size)
        steps = w.add("Squeeze", [f"lstm{i}", w.ints(f"direction{i}", 1)], f"states{i}")
    w.add("ReduceMean", [steps], "embedding", axes=[0], keepdims=0)


def _heads(w: _Writer, net: StackedLstm) -> list[str]:
    """Write ``logit``, and ``fma`` where the network has it; return their names."""
    axis = w.ints("features", 1)
    _line(w, "logit", axis, _numbers(net.head.weight)[0], _numbers(net.head.bias)[0])
    if net.fma is None:
        return ["logit"]
    mean, sd = (_numbers(net.fma.get_buffer(name)) for name in ("mean", "sd"))
    line = net.fma.linear
    _line(w, "fma", axis, sd * _numbers(line.weight)[0], mean + sd * _numbers(line.bias)[0])
    return ["logit", "fma"]


def _line(w: _Writer, head: str, axis: str, weights: NDArray[np.float64], bias: np.float64) -> None:
    """Write a linear head as a product and a sum: a matrix product may add in another order in another batch."""
    products = w.add("Mul", ["embedding", w.floats(f"{head}_weights", weights)], f"{head}_products")
    total = w.add("ReduceSum", [products, axis], f"{head}_total", keepdims=0)
    w.add("Add", [total, w.floats(f"{head}_bias", bias)], head)


def _lstm_weights(layer: nn.LSTM) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield W, R and B of one layer with torch's gates i, f, g, o in ONNX's order i, o, f, c."""
    weight_ih, weight_hh, bias_ih, bias_hh = (_gates(_numbers(cast(Tensor, value))) for value in layer.all_weights[0])
    yield "W", weight_ih[np.newaxis]
    yield "R", weight_hh[np.newaxis]
    yield "B", np.concatenate([bias_ih, bias_hh])[np.newaxis]


def _gates(torch_order: NDArray[np.float64]) -> NDArray[np.float64]:
    i, f, g, o = np.split(torch_order, 4)
    return np.concatenate([i, o, f, g])


def _numbers(value: Tensor) -> NDArray[np.float64]:
    return np.asarray(value.detach().cpu().double().numpy())
