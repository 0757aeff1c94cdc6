"""Torch: a bundle's graph run node by node, in float32 beside the other engines or in float64 above them.

In float64 it is the oracle, on a core: the logit that every other engine is held against. It knows the operators of the
``eeg_emg`` bundles and no more. Scorers run it on a core. On a CUDA device, which only whoever opens it by hand asks
for, cuDNN runs its LSTMs, with TF32 off; that way has never been taken on a device, see docs/engines.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from inference.bundle import Bundle
from inference.engines import parity
from inference.engines.engine import MAX_BATCH, EngineInfo
from inference.engines.graph import Graph, Node
from inference.engines.inputs import check_inputs, silence
from inference.engines.refusals import failed
from inference.engines.tensors import check_tensors
from inference.errors import DeviceLost, EngineAbsent, EngineError, EngineUnavailable

Precision = Literal["fp32", "fp64"]
Device = Literal["cpu", "cuda"]
DTYPES = {"fp32": torch.float32, "fp64": torch.float64}
#: What an LSTM of ONNX may say; anything else (directions, lengths, other activations) is refused.
LSTM_ATTRIBUTES = {"hidden_size"}
LSTM_INPUTS = 4


class TorchEngine:
    """A bundle's model in torch, on one core unless a GPU is asked for.

    Parameters
    ----------
    bundle : Bundle
        Of kind ``eeg_emg``.
    backend : str
        Its name in the list of engines.
    degraded : bool
        Whether another backend was asked for first.
    precision : {"fp32", "fp64"}
        In ``fp64`` outputs are float64 too.
    device : {"cpu", "cuda"}
        Where it runs.

    Raises
    ------
    EngineAbsent
        If torch has no CUDA device and one is asked for.
    EngineUnavailable
        If the graph has an operator that is not known here.
    BundleError
        If the graph cannot be read or has other tensors than the manifest says.
    """

    def __init__(
        self,
        bundle: Bundle,
        backend: str = "torch",
        *,
        degraded: bool = False,
        precision: Precision = "fp32",
        device: Device = "cpu",
    ) -> None:
        if device == "cuda" and not torch.cuda.is_available():
            raise EngineAbsent("torch has no CUDA device here.", subject=backend, remedy="Open it on the CPU.")
        _be_exact()
        self._bundle = bundle
        self._device = torch.device(device)
        self._dtype = DTYPES[precision]
        graph = Graph.read(bundle.model_path)
        check_tensors(bundle, (*graph.inputs, *graph.outputs))
        self._steps: tuple[_Step, ...] | None = tuple(self._step(node, graph) for node in graph.nodes)
        self._constants = {name: self._constant(value) for name, value in graph.weights.items()}
        named = torch.cuda.get_device_name() if device == "cuda" else device
        version = str(torch.__version__)
        self._info = EngineInfo(backend, named, precision, degraded, version, batch_invariant=False, max_batch=1)

    @property
    def info(self) -> EngineInfo:
        """What runs; ``max_batch`` is 1 until the self-check has shown that a batch changes no bit."""
        return self._info

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Return the outputs by name; see :class:`~inference.engines.engine.Engine`."""
        if self._steps is None:
            raise EngineError("The engine is closed.", subject=self._bundle.name, remedy="Open it again.")
        check_inputs(self._bundle, inputs)
        try:
            with torch.inference_mode():
                return self._run(self._steps, inputs)
        except RuntimeError as error:
            if self._device.type == "cuda":
                raise DeviceLost.because(str(error)) from error
            raise failed(self._info.backend, self._bundle, error) from error

    def warmup(self) -> None:
        """Run one silent window."""
        self.run(silence(self._bundle))

    def selfcheck(self) -> Iterator[parity.Parity]:
        """Run the golden windows; allow the batches that were shown to change no bit."""
        model = self._bundle.model
        for found in parity.check(self.run, model.inputs[0], model.golden, model.logit_atol, MAX_BATCH):
            self._info = self._info.shown(found)
            yield found

    def close(self) -> None:
        """Free the weights."""
        self._steps = None
        self._constants.clear()

    def _run(self, steps: tuple[_Step, ...], inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        values = self._constants | {name: self._constant(x) for name, x in inputs.items()}
        for step in steps:
            found = step.run(*(values[name] for name in step.inputs))
            values.update(zip(step.outputs, found, strict=True))
        return {tensor.name: values[tensor.name].cpu().numpy() for tensor in self._bundle.model.outputs}

    def _constant(self, value: NDArray[Any]) -> Tensor:
        """Return a tensor on the device; whole numbers are shapes and axes, which stay where they are read."""
        tensor = torch.from_numpy(np.ascontiguousarray(value))
        return tensor.to(self._device, self._dtype) if tensor.is_floating_point() else tensor

    def _step(self, node: Node, graph: Graph) -> _Step:
        if node.op == "LSTM":
            return self._lstm(node, graph)
        if node.op not in OPERATORS:
            raise _unknown(self._bundle, str(node))
        operator, attributes = OPERATORS[node.op], node.attributes
        return _Step(node.inputs, node.outputs, lambda *given: (operator(attributes, *given),))

    def _lstm(self, node: Node, graph: Graph) -> _Step:
        """Return the step of an LSTM: all states (n_steps, 1, batch, n) and the last (1, batch, n)."""
        if set(node.attributes) != LSTM_ATTRIBUTES or len(node.inputs) != LSTM_INPUTS:
            raise _unknown(self._bundle, f"{node} with {', '.join(sorted(node.attributes))}, {len(node.inputs)} inputs")
        net = _lstm_of(*(graph.weights[name] for name in node.inputs[1:])).to(self._device, self._dtype)

        def run(x: Tensor) -> tuple[Tensor, ...]:
            states, (last, _) = net(x)
            return states.unsqueeze(1), last

        return _Step(node.inputs[:1], (*node.outputs, "")[:2], run)


class _Step:
    """A node that is ready to run."""

    def __init__(
        self, inputs: tuple[str, ...], outputs: tuple[str, ...], run: Callable[..., tuple[Tensor, ...]]
    ) -> None:
        self.inputs, self.outputs, self.run = inputs, outputs, run


def _be_exact() -> None:
    """Take one thread and whole float32: TF32 and BF16 are what torch would take for itself.

    By the flags that training sets too: torch has newer ones, and refuses to read either where both were set.
    """
    torch.set_num_threads(1)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False


def _lstm_of(w: NDArray[Any], r: NDArray[Any], b: NDArray[Any]) -> nn.LSTM:
    """Return torch's LSTM of ONNX's weights, whose gates i, o, f, c are torch's i, f, g, o."""
    n_hidden, n_inputs = r.shape[2], w.shape[2]
    net = nn.LSTM(n_inputs, n_hidden, dtype=torch.float64).eval()
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    for name, value in zip(names, (w[0], r[0], *np.split(b[0], 2)), strict=True):
        i, o, f, c = np.split(value.astype(np.float64), 4)
        net.get_parameter(name).data.copy_(torch.from_numpy(np.concatenate([i, f, c, o])))
    return net


def _conv(attributes: Mapping[str, Any], x: Tensor, weights: Tensor) -> Tensor:
    """Convolve along one axis, as the filter bank does: zeros before and after, steps of its stride."""
    before, after = attributes.get("pads", (0, 0))
    [stride] = attributes.get("strides", (1,))
    return functional.conv1d(functional.pad(x, (before, after)), weights, stride=stride)


#: The operators of the graphs that are exported for EEG and EMG: their attributes and inputs to their output.
OPERATORS: dict[str, Callable[..., Tensor]] = {
    "Add": lambda _, a, b: a + b,
    "Clip": lambda _, x, low, high: x.clamp(low, high),
    "Conv": _conv,
    "Log": lambda _, x: x.log(),
    "MatMul": lambda _, a, b: a @ b,
    "Mul": lambda _, a, b: a * b,
    "ReduceMean": lambda given, x: x.mean(given["axes"], keepdim=bool(given.get("keepdims", 1))),
    "ReduceSum": lambda given, x, axes: x.sum(axes.tolist(), keepdim=bool(given.get("keepdims", 1))),
    "Reshape": lambda _, x, shape: x.reshape(shape.tolist()),
    "Squeeze": lambda _, x, axes: x.squeeze(axes.tolist()),
    "Sub": lambda _, a, b: a - b,
    "Transpose": lambda given, x: x.permute(given["perm"]),
}


def _unknown(bundle: Bundle, what: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"The torch engine does not know the operator {what} of {bundle.words}.",
        subject=bundle.name,
        remedy="Name another engine.",
    )
