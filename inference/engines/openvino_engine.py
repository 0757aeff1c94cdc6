"""OpenVINO: a bundle compiled for one core, once for each bucket of a batch.

A graph of fixed shape is what its LSTM is fast on. The hints ask for float32 and for accuracy over speed, and what was
compiled is read back: a machine with BF16 units takes half of the mantissa otherwise, without a word.

OpenVINO tells its maker over the network that it was imported, from a process that it leaves behind. Nothing goes out
from beside a bed: without the module that does it OpenVINO takes its own stub.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.engines import parity
from inference.engines.buckets import bucket_of, buckets_to, harmless_padding, padded
from inference.engines.engine import MAX_BATCH, EngineInfo
from inference.engines.inputs import check_inputs, silence, window_shape
from inference.engines.parity import golden_window
from inference.engines.refusals import failed, unreadable
from inference.engines.tensors import OPEN, check_tensors
from inference.errors import EngineError, EngineUnavailable
from inference.manifest import TensorSpec

sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
import openvino  # noqa: E402

DEVICE = "CPU"
#: What is asked for; one thread, as with every engine on a core.
HINTS: dict[str, Any] = {
    "INFERENCE_PRECISION_HINT": openvino.Type.f32,
    "EXECUTION_MODE_HINT": openvino.properties.hint.ExecutionMode.ACCURACY,
    "PERFORMANCE_HINT": openvino.properties.hint.PerformanceMode.LATENCY,
    "INFERENCE_NUM_THREADS": 1,
    "NUM_STREAMS": 1,
    "ENABLE_CPU_PINNING": False,
}
#: What must be true of what was compiled.
READ_BACK: dict[str, Any] = {
    **{key: HINTS[key] for key in ("INFERENCE_PRECISION_HINT", "EXECUTION_MODE_HINT", "INFERENCE_NUM_THREADS")},
    "EXECUTION_DEVICES": [DEVICE],
}


class OpenvinoEngine:
    """A bundle's model, compiled by OpenVINO.

    Parameters
    ----------
    bundle : Bundle
        The model; its tensors must be the manifest's.
    backend : str
        Its name in the list of engines.
    degraded : bool
        Whether another backend was asked for first.

    Raises
    ------
    EngineUnavailable
        If OpenVINO compiles something else than was asked for.
    BundleError
        If the graph cannot be read or has other tensors than the manifest says.
    """

    def __init__(self, bundle: Bundle, backend: str = "openvino", *, degraded: bool = False) -> None:
        self._bundle = bundle
        self._core = openvino.Core()
        self._requests: dict[int, Any] = {}
        self._outputs = [tensor.name for tensor in bundle.model.outputs]
        version = openvino.__version__
        self._info = EngineInfo(backend, "cpu", "fp32", degraded, version, batch_invariant=False, max_batch=1)
        self._model: Any = self._read()
        self._request(1)

    @property
    def info(self) -> EngineInfo:
        """What runs; ``max_batch`` is 1 until the self-check has shown that a batch changes no bit."""
        return self._info

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Return the outputs by name; see :class:`~inference.engines.engine.Engine`."""
        if self._model is None:
            raise EngineError("The engine is closed.", subject=self._bundle.name, remedy="Open it again.")
        check_inputs(self._bundle, inputs)
        return self._compute(inputs[self._tensor.name], 0.0)

    def warmup(self) -> None:
        """Run one silent window."""
        self.run(silence(self._bundle))

    def selfcheck(self) -> Iterator[parity.Parity]:
        """Run the golden windows; allow the batches in which neither neighbours nor padding change a bit."""
        model = self._bundle.model
        x = golden_window("noise", 0, window_shape(self._tensor))[np.newaxis]
        for found in parity.check(self.run, self._tensor, model.golden, model.logit_atol, MAX_BATCH):
            grown = found.max_batch > self._info.max_batch
            padded_well = not grown or harmless_padding(self._compute, x, found.max_batch)
            shown = found if padded_well else replace(found, max_batch=1)
            self._info = self._info.shown(shown)
            yield shown
            if not padded_well:
                break
        self._requests = {bucket: self._requests[bucket] for bucket in buckets_to(self._info.max_batch)}

    def close(self) -> None:
        """Free the compiled models."""
        self._model = None
        self._requests.clear()

    @property
    def _tensor(self) -> TensorSpec:
        return self._bundle.model.inputs[0]

    def _compute(self, x: NDArray[np.float32], filler: float) -> dict[str, NDArray[np.float32]]:
        request = self._request(bucket_of(len(x)))
        try:
            found = request.infer({self._tensor.name: padded(x, filler)})
        except RuntimeError as error:
            raise failed(self._info.backend, self._bundle, error) from error
        return {name: np.array(found[name][: len(x)]) for name in self._outputs}

    def _read(self) -> Any:
        try:
            model = self._core.read_model(self._bundle.model_path)
        except RuntimeError as error:
            raise unreadable(self._info.backend, self._bundle, error) from error
        ports = (*model.inputs, *model.outputs)
        check_tensors(self._bundle, (tensor for port in ports for tensor in _tensors(port)))
        return model

    def _request(self, bucket: int) -> Any:
        """Return what runs a bucket; compiled at its first use, at the latest by the self-check."""
        if bucket not in self._requests:
            compiled = self._compiled(bucket)
            _check_compiled(self._info.backend, compiled)
            self._requests[bucket] = compiled.create_infer_request()
        return self._requests[bucket]

    def _compiled(self, bucket: int) -> Any:
        model = self._model.clone()
        try:
            model.reshape({self._tensor.name: [bucket, *window_shape(self._tensor)]})
            return self._core.compile_model(model, DEVICE, HINTS)
        except RuntimeError as error:
            raise EngineUnavailable(
                f"{self._info.backend} does not compile {self._bundle.words} here: {error}.",
                subject=self._info.backend,
                remedy="Name another engine.",
            ) from error


def _check_compiled(backend: str, compiled: Any) -> None:
    """Hold what was compiled against what was asked for."""
    for key, wanted in READ_BACK.items():
        found = compiled.get_property(key)
        if found != wanted:
            raise EngineUnavailable(
                f"{backend} compiled the model with {key} {found}, {wanted} was asked for.",
                subject=backend,
                remedy="Name another engine: this one would give other numbers here.",
            )


def _tensors(port: Any) -> Iterator[TensorSpec]:
    """Yield what goes through a port, under each of its names."""
    axes = tuple(OPEN if axis.is_dynamic else axis.get_length() for axis in port.partial_shape)
    for name in sorted(port.names):
        yield TensorSpec(name, axes, port.element_type.to_dtype().name)
