"""TensorRT's Python face without TensorRT: the names of one version, and ONNX Runtime below them.

Every class here may have only names that the real binding of that version has (``names-*.json`` were read from the real
bindings), and whatever else is asked for is an AttributeError, as it is there. A plan is the graph with a head that
says what it was built for; it runs on the stand-in device's memory and streams.
"""

from __future__ import annotations

import ctypes
import enum
import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import onnxruntime
import standin_device as device

HERE = Path(__file__).parent
#: How a plan begins, and what parts its head from its graph.
MAGIC, END = b"standin-plan ", b"\n"
#: Working memory that a bucket's windows take, each.
WORKING_BYTES = 4096


def module(version: str) -> dict[str, Any]:
    """Return the public names of TensorRT ``version``, those that this stand-in knows."""
    names = json.loads((HERE / f"names-{version}.json").read_text("utf-8"))
    old = "EXPLICIT_BATCH" in names["NetworkDefinitionCreationFlag"]

    def flags(name: str) -> Any:
        return enum.IntEnum(name, [(member, i) for i, member in enumerate(names[name])])

    def strict(cls: type) -> type:
        """Let a class have no name that the real one lacks, and take no attribute either."""
        known = set(names[cls.__name__])
        strange = {name for name in vars(cls) if not name.startswith("_")} - known
        assert not strange, f"TensorRT {version}: {cls.__name__} has no {strange}"

        def guarded(self: Any, name: str, value: Any) -> None:
            if not name.startswith("_") and name not in known:
                raise AttributeError(f"{cls.__name__} of TensorRT {version} has no {name}")
            object.__setattr__(self, name, value)

        cls.__setattr__ = guarded  # type: ignore[assignment,method-assign]
        return cls

    Severity = enum.IntEnum("Severity", [(n, i) for i, n in enumerate(("INTERNAL_ERROR", "ERROR", "WARNING", "INFO"))])
    BuilderFlag, MemoryPoolType = flags("BuilderFlag"), flags("MemoryPoolType")
    NetworkDefinitionCreationFlag, DataType = flags("NetworkDefinitionCreationFlag"), flags("DataType")
    ExecutionContextAllocationStrategy = flags("ExecutionContextAllocationStrategy")

    class ILogger:  # the real one lets subclasses have what they like
        pass

    ILogger.Severity = Severity  # type: ignore[attr-defined]

    @strict
    class IHostMemory:
        def __init__(self, data: bytes) -> None:
            self._data = data

        def __bytes__(self) -> bytes:
            return self._data

        @property
        def nbytes(self) -> int:
            return len(self._data)

    @strict
    class ITimingCache:
        def __init__(self, data: bytes) -> None:
            self._data = data

        def serialize(self) -> IHostMemory:
            return IHostMemory(self._data)

    @strict
    class IOptimizationProfile:
        def __init__(self) -> None:
            self._shapes: dict[str, Any] = {}

        def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:
            self._shapes[input] = (tuple(min), tuple(opt), tuple(max))

    @strict
    class IBuilderConfig:
        def __init__(self) -> None:
            self._flags = {BuilderFlag.TF32}
            self._profiles: list[IOptimizationProfile] = []
            self._pools: dict[Any, int] = {}
            self._timing: ITimingCache | None = None

        def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
            self._pools[pool] = pool_size

        def set_flag(self, flag: Any) -> None:
            self._flags.add(flag)

        def clear_flag(self, flag: Any) -> None:
            if device.faults.get("build") != "keeps tf32":
                self._flags.discard(flag)

        def get_flag(self, flag: Any) -> bool:
            return flag in self._flags

        def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
            self._profiles.append(profile)
            return len(self._profiles) - 1

        def create_timing_cache(self, serialized_timing_cache: bytes) -> ITimingCache:
            return ITimingCache(serialized_timing_cache or _head_of_timing())

        def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
            if not ignore_mismatch and not cache._data.startswith(_head_of_timing()):
                return False
            self._timing = cache
            return True

        def get_timing_cache(self) -> ITimingCache | None:
            return self._timing

    @strict
    class INetworkDefinition:
        def __init__(self, strong: bool) -> None:
            self._strong, self._graph = strong, b""

    @strict
    class OnnxParser:
        def __init__(self, network: INetworkDefinition, logger: Any) -> None:
            self._network, self._errors = network, []  # type: ignore[var-annotated]

        def parse(self, model: bytes, path: str | None = None) -> bool:
            try:
                onnx.load_model_from_string(model)
            except Exception as error:
                self._errors.append(f"In node -1: {type(error).__name__}")
                return False
            self._network._graph = model
            return True

        @property
        def num_errors(self) -> int:
            return len(self._errors)

        def get_error(self, index: int) -> str:
            return self._errors[index]

    @strict
    class Builder:
        def __init__(self, logger: Any) -> None:
            self._logger = logger

        def create_network(self, flags: int = 0) -> INetworkDefinition:
            strong = bool(flags & 1 << int(NetworkDefinitionCreationFlag.STRONGLY_TYPED))
            return INetworkDefinition(strong or not old)

        def create_builder_config(self) -> IBuilderConfig:
            return IBuilderConfig()

        def create_optimization_profile(self) -> IOptimizationProfile:
            return IOptimizationProfile()

        def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory | None:
            fault = device.faults.get("build")
            if fault == "dies":
                os.kill(os.getpid(), signal.SIGSEGV)
            if fault == "memory":
                self._logger.log(Severity.WARNING, "Tactic needs more memory than there is.")
                self._logger.log(Severity.ERROR, "Cuda Runtime (out of memory)")
                return None
            assert config._timing is not None and MemoryPoolType.WORKSPACE in config._pools
            config._timing._data += b"+"
            honest = network._strong and BuilderFlag.TF32 not in config._flags
            head = {
                "version": names["version"],
                "gpu": device.gpu,
                "honest": honest,
                "refit": BuilderFlag.REFIT in config._flags,
                "profiles": [profile._shapes for profile in config._profiles],
            }
            return IHostMemory(MAGIC + json.dumps(head).encode() + END + network._graph)

    @strict
    class IExecutionContext:
        def __init__(self, engine: ICudaEngine, logger: Any) -> None:
            self._engine, self._logger = engine, logger
            self._profile: int | None = None
            self._shape: tuple[int, ...] = ()
            self._block = (0, 0)
            self._addresses: dict[str, int] = {}
            self._runs = 0

        def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
            if profile_index >= len(self._engine._head["profiles"]):
                return False
            self._profile = profile_index
            device.streams[stream_handle].enqueue(lambda: None)
            return True

        def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
            assert self._profile is not None, "a shape belongs to a profile"
            self._shape = tuple(shape)
            low, _, high = self._engine._head["profiles"][self._profile][name]
            return all(a <= n <= b for a, n, b in zip(low, shape, high, strict=True))

        def set_device_memory(self, memory: int, size: int) -> None:
            assert memory % 256 == 0 and size >= self._engine.device_memory_size_v2
            self._block = (memory, size)

        def set_tensor_address(self, name: str, memory: int) -> bool:
            self._addresses[name] = memory
            return device.faults.get("context") != "no address"

        def infer_shapes(self) -> list[str]:
            return [] if self._shape else [self._engine.get_tensor_name(0)]

        def execute_async_v3(self, stream_handle: int) -> bool:
            stream = device.streams[stream_handle]
            fault = device.faults.get("run")
            if stream.captured is not None and device.faults.get("capture") == "refused":
                self._logger.log(Severity.ERROR, "Loops cannot be captured.")
                return False
            if fault == "refused":
                self._logger.log(Severity.ERROR, "enqueueV3: it will not.")
                return False
            assert len(self._addresses) == self._engine.num_io_tensors and self._block[1]
            self._runs += 1
            if fault == "lost" and self._runs > device.faults.get("after", 0):
                stream.enqueue(lambda: device.die("an illegal memory access was encountered"))
                return device.faults.get("says", True)
            drift = 1e-6 if stream.captured is not None and device.faults.get("capture") == "drifts" else 0.0
            stream.enqueue(partial(self._compute, drift))
            return True

        def _compute(self, drift: float) -> None:
            if Path(device.faults.get("lost_while", HERE / "never")).exists():
                device.die("an illegal memory access was encountered")
                return
            ctypes.memset(self._block[0], 0xAB, self._engine.get_device_memory_size_for_profile_v2(self._profile))
            x = _at(self._addresses[self._engine._input], self._shape, np.float32)
            outputs = self._engine._session.run(None, {self._engine._input: x})
            for node, value in zip(self._engine._session.get_outputs(), outputs, strict=True):
                value = self._engine._spoil(node.name, np.asarray(value, np.float32), x)
                _at(self._addresses[node.name], value.shape, np.float32)[...] = value + np.float32(drift)

    @strict
    class ICudaEngine:
        def __init__(self, head: dict[str, Any], graph: bytes, logger: Any) -> None:
            settings = onnxruntime.SessionOptions()
            settings.intra_op_num_threads = 1
            self._session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])
            self._nodes = [*self._session.get_inputs(), *self._session.get_outputs()]
            self._head, self._logger, self._count = head, logger, 0
            self._input = self._nodes[0].name

        @property
        def num_io_tensors(self) -> int:
            return len(self._nodes)

        @property
        def num_optimization_profiles(self) -> int:
            return len(self._head["profiles"])

        @property
        def device_memory_size_v2(self) -> int:
            return max(map(self.get_device_memory_size_for_profile_v2, range(self.num_optimization_profiles)))

        def get_device_memory_size_for_profile_v2(self, profile_index: int | None) -> int:
            return WORKING_BYTES * self._head["profiles"][profile_index][self._input][2][0]

        def get_tensor_name(self, index: int) -> str:
            return self._nodes[index].name

        def get_tensor_dtype(self, name: str) -> Any:
            return DataType.FLOAT

        def get_tensor_shape(self, name: str) -> tuple[int, ...]:
            node = next(node for node in self._nodes if node.name == name)
            return tuple(-1 if isinstance(axis, str) else axis for axis in node.shape)

        def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
            return [tuple(shape) for shape in self._head["profiles"][profile_index][name]]

        def create_execution_context(self, strategy: Any) -> IExecutionContext | None:
            assert strategy is ExecutionContextAllocationStrategy.USER_MANAGED, "lanes share their working memory"
            if device.faults.get("context") == "none":
                self._logger.log(Severity.ERROR, "Cannot create a context.")
                return None
            return IExecutionContext(self, self._logger)

        def _spoil(self, name: str, value: np.ndarray, x: np.ndarray) -> np.ndarray:
            """Change the logits in the way of the fault, if any; a plan that is not honest fp32 is always off."""
            if name != "logit":
                return value
            self._count += 1
            bits = device.faults.get("bits")
            off = np.zeros_like(value) if self._head["honest"] else np.full_like(value, 0.02)
            if bits == "shaky":
                off += np.float32(1e-5) * self._count
            if bits == "by bucket" and len(x) == 1:
                off += np.float32(1e-5)
            if bits == "by neighbour" and len(x) > 1:
                off += np.float32(1e-7) * np.nanmax(np.abs(x))
            if bits == "by padding" and len(x) > 1:
                off += np.float32(0.0) * x.sum()
            if bits == "off":
                off += np.float32(1.0)
            return value + off

    @strict
    class Runtime:
        def __init__(self, logger: Any) -> None:
            self._logger = logger

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> ICudaEngine | None:
            fault = device.faults.get("load")
            if fault == "dies":
                os.kill(os.getpid(), signal.SIGSEGV)
            if fault == "hangs":
                time.sleep(600)
            problem, head, graph = _opened(serialized_engine, names["version"])
            if problem:
                self._logger.log(Severity.ERROR, problem)
                return None
            return ICudaEngine(head, graph, self._logger)

    known = {
        name: value
        for name, value in locals().items()
        if name[0].isupper() and name != "Severity" and name in names["module"]
    }
    return known | {"__version__": names["version"], "nptype": lambda dtype: np.float32, "Logger": SimpleNamespace()}


def _opened(plan: bytes, version: str) -> tuple[str, dict[str, Any], bytes]:
    """Return what is wrong with a plan, or its head and its graph."""
    if not plan.startswith(MAGIC) or END not in plan:
        return "Serialization assertion magicTagRead == kMAGIC_TAG failed.", {}, b""
    text, graph = plan[len(MAGIC) :].split(END, 1)
    head = json.loads(text)
    if head["version"] != version:
        return f"The engine plan file is of version {head['version']}, expecting {version}.", {}, b""
    if head["gpu"] != device.gpu:
        return f"The engine plan file is for {head['gpu']}, expecting {device.gpu}.", {}, b""
    return "", head, graph


def _head_of_timing() -> bytes:
    return f"timings of {device.gpu}:".encode()


def _at(address: int, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return the array that lies at an address."""
    n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * n_bytes).from_address(address), dtype).reshape(shape)
