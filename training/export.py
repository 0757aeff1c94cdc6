"""Export: filter bank and network as one ONNX graph, written node by node, from z-scored window to logit.

By hand because the exporters freeze or unroll what must stay: the batch is free, the 100 steps are fixed, and every
window's bits must not depend on its neighbours in the batch (law 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.networks import CLIP, WIDTHS, BandLstm
from training.tokens import FLOOR, N_BANDS, BankSpec

#: Operators of this version are understood by every engine that a bundle meets.
OPSET = 17


def graph_of(net: BandLstm, n_samples: int, n_channels: int, spec: BankSpec | None = None) -> onnx.ModelProto:
    """Return the checked graph: ``x`` (batch, n_samples, n_channels) to ``logit`` (batch,), ``embedding`` (batch, 32).

    Parameters
    ----------
    net : BandLstm
        Trained; left as it is.
    n_samples, n_channels : int
        Of a window.
    spec : BankSpec, optional
        The bank that its tokens came from.
    """
    spec = spec or BankSpec()
    writer = _Writer()
    _tokens(writer, spec, spec.n_steps(n_samples), n_channels)
    _network(writer, net)
    value = helper.make_tensor_value_info
    inputs = [value("x", TensorProto.FLOAT, ["batch", n_samples, n_channels])]
    outputs = [
        value("logit", TensorProto.FLOAT, ["batch"]),
        value("embedding", TensorProto.FLOAT, ["batch", WIDTHS[-1]]),
    ]
    body = helper.make_graph(writer.nodes, "lstm-bands", inputs, outputs, writer.weights)
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(body, opset_imports=[opset], producer_name="flexion", ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


class _Writer:
    """Nodes and weights in the making."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, op: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def weight(self, name: str, value: NDArray[np.generic]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def floats(self, name: str, value: object) -> str:
        return self.weight(name, np.asarray(value, np.float32))

    def ints(self, name: str, *values: int) -> str:
        return self.weight(name, np.array(values, np.int64))


def _tokens(w: _Writer, spec: BankSpec, n_steps: int, n_channels: int) -> None:
    """Write ``x`` to ``tokens``, shape (n_steps, batch, n_tokens): every channel is a row of one depthwise bank."""
    kernels = w.floats("bank", spec.kernels()[:, np.newaxis])
    sums = w.floats("bands", spec.sums()[:, :, np.newaxis])
    channels_first = w.add("Transpose", ["x"], "channels_first", perm=[0, 2, 1])
    rows = w.add("Reshape", [channels_first, w.ints("rows_shape", -1, 1, n_steps * spec.stride)], "rows")
    waves = w.add("Conv", [rows, kernels], "waves", strides=[spec.stride], pads=[spec.n_pad, 0])
    power = w.add("Conv", [w.add("Mul", [waves, waves], "squares"), sums], "power")
    logs = w.add("Log", [w.add("Add", [power, w.floats("floor", FLOOR)], "floored")], "logs")
    split = w.add("Reshape", [logs, w.ints("token_shape", -1, n_channels * N_BANDS, n_steps)], "by_token")
    w.add("Transpose", [split], "tokens", perm=[2, 0, 1])


def _network(w: _Writer, net: BandLstm) -> None:
    """Write ``tokens`` to ``logit`` and ``embedding``."""
    state = {name: value.detach().numpy() for name, value in net.state_dict().items()}
    centred = w.add("Sub", ["tokens", w.floats("token_mean", state["mean"])], "centred")
    scaled = w.add("Mul", [centred, w.floats("token_inverse_sd", state["inverse_sd"])], "scaled")
    h = w.add("Clip", [scaled, w.floats("clip_low", -CLIP), w.floats("clip_high", CLIP)], "standardised")
    directions = w.ints("directions", 1)
    for i, width in enumerate(WIDTHS):
        weights = [w.floats(f"lstm{i}_{name}", value) for name, value in _lstm_weights(state, i)]
        w.add("LSTM", [h, *weights], f"lstm{i}", hidden_size=width)
        h = w.add("Squeeze", [f"lstm{i}", directions], f"states{i}")
    w.add("ReduceMean", [h], "embedding", axes=[0], keepdims=0)
    products = w.add("Mul", ["embedding", w.floats("head", state["head.weight"][0])], "products")
    total = w.add("ReduceSum", [products, directions], "total", keepdims=0)
    w.add("Add", [total, w.floats("head_bias", state["head.bias"][0])], "logit")


def _lstm_weights(state: dict[str, NDArray[np.float32]], layer: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield W, R and B of one layer with torch's gates i, f, g, o in ONNX's order i, o, f, c."""
    prefix = f"layers.{layer}."
    yield "W", _gates(state[prefix + "weight_ih_l0"])[np.newaxis]
    yield "R", _gates(state[prefix + "weight_hh_l0"])[np.newaxis]
    biases = [_gates(state[prefix + name]) for name in ("bias_ih_l0", "bias_hh_l0")]
    yield "B", np.concatenate(biases)[np.newaxis]


def _gates(torch_order: NDArray[np.float32]) -> NDArray[np.float32]:
    i, f, g, o = np.split(torch_order, 4)
    return np.concatenate([i, o, f, g])
