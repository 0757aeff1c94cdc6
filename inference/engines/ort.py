"""ONNX Runtime: one session, one thread, one provider that is asserted and never exchanged silently.

One intra-op thread: a second one gains nothing on one window and collapses under contention (821 ms against 99 ms,
up to 5.8 s, with two spinning threads on a busy machine). More cores mean more scorer processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from inference.bundle import Bundle
from inference.engines import parity
from inference.engines.engine import MAX_BATCH, EngineInfo
from inference.engines.inputs import check_inputs, silence
from inference.engines.refusals import failed, unreadable
from inference.engines.registry import ON_GPU
from inference.engines.tensors import OPEN, check_tensors
from inference.errors import DeviceLost, EngineAbsent, EngineError, EngineUnavailable
from inference.manifest import TensorSpec

#: Backends that this module serves: ONNX Runtime's provider, its options, the device's name.
#: TF32 is on by default on CUDA and spoils fp32 by up to 2e-2 in p on a model with long memory: off.
PROVIDERS: dict[str, tuple[str, dict[str, str], str]] = {
    "onnxruntime-cpu": ("CPUExecutionProvider", {}, "cpu"),
    "onnxruntime-cuda": ("CUDAExecutionProvider", {"use_tf32": "0"}, "cuda"),
}
#: How ONNX Runtime calls the types of tensors.
TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(int64)": "int64", "tensor(bool)": "bool"}
#: ONNX Runtime's own log: errors alone. What matters is raised here.
LOG_ERRORS = 3
#: What ONNX Runtime raises; its errors have no common base below Exception.
ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)


class OrtEngine:
    """A bundle's model in an ONNX Runtime session.

    Parameters
    ----------
    bundle : Bundle
        The model; its tensors must be the manifest's.
    backend : str
        A key of :data:`PROVIDERS`.
    degraded : bool
        Whether another backend was asked for first.

    Raises
    ------
    EngineAbsent
        If this machine's ONNX Runtime was built without the provider.
    EngineUnavailable
        If the provider does not start.
    BundleError
        If the graph cannot be read or has other tensors than the manifest says.
    """

    def __init__(self, bundle: Bundle, backend: str = "onnxruntime-cpu", *, degraded: bool = False) -> None:
        self._bundle = bundle
        self._session = _open(bundle, backend)
        check_tensors(bundle, map(_tensor, (*self._session.get_inputs(), *self._session.get_outputs())))
        self._outputs = [tensor.name for tensor in bundle.model.outputs]
        version, device = onnxruntime.__version__, PROVIDERS[backend][2]
        self._info = EngineInfo(backend, device, "fp32", degraded, version, batch_invariant=False, max_batch=1)

    @property
    def info(self) -> EngineInfo:
        """What runs; ``max_batch`` is 1 until the self-check has shown that a batch changes no bit."""
        return self._info

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Return the outputs by name; see :class:`~inference.engines.engine.Engine`."""
        if self._session is None:
            raise EngineError("The engine is closed.", subject=self._bundle.name, remedy="Open it again.")
        check_inputs(self._bundle, inputs)
        return self._compute(inputs)

    def warmup(self) -> None:
        """Run one silent window."""
        self.run(silence(self._bundle))

    def selfcheck(self) -> Iterator[parity.Parity]:
        """Run the golden windows; allow the batches that were shown to change no bit."""
        model = self._bundle.model
        for found in parity.check(self.run, model.inputs[0], model.golden, model.logit_atol, MAX_BATCH):
            self._info = self._info.shown(found)
            yield found
        self._shrink()

    def close(self) -> None:
        """Free the session."""
        self._session = None

    def _shrink(self) -> None:
        """Give back what the self-check's largest batch took: 500 MB of a model that reads every sample."""
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._compute(silence(self._bundle), options)

    def _compute(self, inputs: Mapping[str, NDArray[Any]], options: Any = None) -> dict[str, NDArray[np.float32]]:
        try:
            values = self._session.run(self._outputs, dict(inputs), options)
        except ORT_ERRORS as error:
            if self._info.backend in ON_GPU:
                # A GPU's error stays for every later call, and ONNX Runtime's errors do not tell it from others.
                raise DeviceLost.because(str(error)) from error
            raise failed(self._info.backend, self._bundle, error) from error
        return dict(zip(self._outputs, values, strict=True))


def be_there(backend: str) -> None:
    """Refuse a backend whose provider was not built into this machine's ONNX Runtime.

    Raises
    ------
    EngineAbsent
        Names the providers that there are.
    """
    provider = PROVIDERS[backend][0]
    if provider not in onnxruntime.get_available_providers():
        raise EngineAbsent(
            f"{backend} needs ONNX Runtime's {provider}, which this machine lacks: "
            f"it has {', '.join(onnxruntime.get_available_providers())}.",
            subject=backend,
            remedy="Install the ONNX Runtime build that has it, or put onnxruntime-cpu into the list of engines.",
        )


def _open(bundle: Bundle, backend: str) -> Any:
    be_there(backend)
    provider, options, _ = PROVIDERS[backend]
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.log_severity_level = LOG_ERRORS
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(bundle.model_path, settings, providers=[(provider, options)])
    except ORT_ERRORS as error:
        if backend in ON_GPU:
            # Its memory is full, or its libraries fail; a graph that nobody can run is refused by the next backend.
            raise EngineUnavailable(
                f"{backend} does not open {bundle.words}: {error}.",
                subject=backend,
                remedy="Look at the GPU's memory and its driver, or put onnxruntime-cpu into the list of engines.",
            ) from error
        raise unreadable(backend, bundle, error) from error
    # ONNX Runtime prints and goes on with another provider when one cannot start (microsoft/onnxruntime#17801, #23372).
    if session.get_providers()[0] != provider:
        raise EngineUnavailable(
            f"{backend} needs ONNX Runtime's {provider}, which does not start here: "
            f"{session.get_providers()[0]} would run instead.",
            subject=backend,
            remedy="Look at the driver and the CUDA libraries, or put onnxruntime-cpu into the list of engines.",
        )
    # It would also do so in the middle of its work: take another provider and go on under the name of this one.
    session.disable_fallback()
    return session


def _tensor(node: Any) -> TensorSpec:
    axes = tuple(OPEN if axis is None else axis for axis in node.shape)
    return TensorSpec(node.name, axes, TYPES.get(node.type, node.type))
