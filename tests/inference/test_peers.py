"""Torch and OpenVINO: the same contract as ONNX Runtime, the same logits, and float64 above all of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from inference.bundle import Bundle, resolve_bundle
from inference.engines.engine import MAX_BATCH, Engine
from inference.engines.ort import OrtEngine
from inference.engines.parity import golden_window, settle
from inference.engines.registry import open_backend
from inference.engines.torch_engine import TorchEngine
from inference.errors import BundleError, DeviceLost, EngineAbsent, EngineError, EngineUnavailable
from tests.conftest import lacking
from tests.inference import tiny
from training.fitting.arithmetic import arithmetic

PEERS = ("torch", "openvino")
OUTPUTS = ("logit", "embedding")


def batch(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Return n z-scored windows of noise."""
    return np.random.RandomState(seed).normal(0, 1, (n, tiny.N_SAMPLES, len(tiny.LABELS))).astype(np.float32)


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> str:
    """Return the name of a backend that is installed here."""
    if find_spec(request.param) is None:
        lacking(request.param)
    return str(request.param)


@pytest.fixture
def engine(peer: str, bundle: Bundle) -> Engine:
    """Return a peer with the tiny bundle, warm and checked."""
    engine = open_backend(bundle, peer)
    engine.warmup()
    assert settle(engine.selfcheck()).ok
    return engine


# --- the contract ----------------------------------------------------------------------------------------------------


def test_it_serves_as_it_says(engine: Engine, peer: str) -> None:
    """Its name, one core, float32, and batches only where it has shown that they change no bit."""
    info = engine.info
    assert (info.backend, info.device, info.precision, info.degraded) == (peer, "cpu", "fp32", False)
    assert info.version and info.max_batch == (MAX_BATCH if info.batch_invariant else 1)


def test_the_small_bundle_that_ships_may_run_in_batches(peer: str) -> None:
    """The same bits twice, and in every batch, slot and padding: what the self-check asks of it."""
    bundle = Bundle.load(resolve_bundle("lstm-bands"))
    engine = open_backend(bundle, peer)
    found = settle(engine.selfcheck())
    assert found.ok and found.repeatable and found.batch_invariant and found.largest < 1e-5
    assert engine.info.max_batch == MAX_BATCH


def test_its_numbers_are_onnx_runtimes(engine: Engine, bundle: Bundle) -> None:
    """Class B: within a hundredth of what a manifest allows."""
    x = batch(5)
    found, expected = engine.run({"x": x}), OrtEngine(bundle).run({"x": x})
    for name in OUTPUTS:
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-6)


def test_a_window_has_the_same_bits_in_every_batch_that_is_allowed(engine: Engine) -> None:
    """Size, slot, padding and loud neighbours leave no trace (law 1); nor does the time between two runs."""
    x = batch(1)
    alone = engine.run({"x": x})
    for n in range(1, engine.info.max_batch + 1):
        among = batch(n, seed=n) * np.float32(50)
        among[n // 2] = x[0]
        outputs = engine.run({"x": among})
        assert all(outputs[name][n // 2].tobytes() == alone[name][0].tobytes() for name in alone)


def test_what_the_manifest_does_not_name_is_refused(engine: Engine) -> None:
    """Before the backend sees it."""
    with pytest.raises(EngineError, match=r"takes x \(batch, 200, 4\) float32, but x with a value that is not finite"):
        engine.run({"x": batch(1) * np.float32(np.nan)})


def test_a_closed_engine_says_so(peer: str, bundle: Bundle) -> None:
    """It cannot be used again."""
    engine = open_backend(bundle, peer)
    engine.close()
    with pytest.raises(EngineError, match=r"The engine is closed\."):
        engine.run({"x": batch(1)})


def test_it_is_one_window_at_a_time_before_the_self_check(peer: str, bundle: Bundle) -> None:
    """Batch invariance is found, never assumed."""
    info = open_backend(bundle, peer, degraded=True).info
    assert not info.batch_invariant and info.max_batch == 1 and info.degraded


def test_what_cannot_be_read_is_refused(peer: str, tmp_path: Path) -> None:
    """Rubbish with the right hash is still rubbish."""
    with pytest.raises(BundleError, match=r"model\.onnx"):
        open_backend(tiny.write(tmp_path / "rubbish", tiny.manifest(), b"rubbish"), peer)


def test_an_output_that_the_graph_lacks_is_refused(peer: str, tmp_path: Path) -> None:
    """A manifest that promises more than the graph gives."""
    outputs = [*tiny.manifest()["outputs"], {"name": "fma", "shape": ["batch"], "dtype": "float32"}]
    whole = tiny.manifest(outputs=outputs, fma={"half_width": 7.0, "coverage": 0.9, "n": 40})
    with pytest.raises(BundleError, match=r"the manifest names fma \(batch\) float32, the graph has no such tensor"):
        open_backend(tiny.write(tmp_path / "fma", whole), peer)


def test_a_graph_of_another_shape_is_refused(peer: str, tmp_path: Path) -> None:
    """The manifest is what the code goes by, so the graph must agree with it; nothing is scored by another shape."""
    other = tiny.write(tmp_path / "short", tiny.manifest(), tiny.graph(n_samples=100).SerializeToString())
    named = r"the manifest names x \(batch, 200, 4\) float32, the graph has x \((batch|\?), 100, 4\) float32\."
    with pytest.raises(BundleError, match=named):
        open_backend(other, peer)


# --- torch -----------------------------------------------------------------------------------------------------------


def exactly(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a graph with every float32 of it in float64."""
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    return model


@pytest.mark.parametrize("name", ["lstm-bands", "lstm-raw"])
def test_in_float64_it_is_the_oracle(name: str) -> None:
    """The reference implementation of ONNX itself, in float64, agrees to the last digits."""
    bundle = Bundle.load(resolve_bundle(name))
    model = exactly(onnx.load(bundle.model_path))
    x = np.stack([golden_window("noise", 0, (10_000, 16)), golden_window("hold", 3, (10_000, 16))])
    found = TorchEngine(bundle, precision="fp64").run({"x": x})
    expected = ReferenceEvaluator(model).run(list(found), {"x": x.astype(np.float64)})
    for value, wanted in zip(found.values(), expected, strict=True):
        assert value.dtype == np.float64
        np.testing.assert_allclose(value, wanted, rtol=0, atol=1e-10)


def set_type(value: onnx.ValueInfoProto, elem_type: int) -> None:
    """Give a tensor another type."""
    value.type.tensor_type.elem_type = elem_type


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda graph: set_type(graph.input[0], onnx.TensorProto.DOUBLE),
            r"names x .*, the graph has x \(.*\) float64",
        ),
        (lambda graph: set_type(graph.output[0], onnx.TensorProto.INT32), r"the graph has logit \(batch\) type 6\."),
        (
            lambda graph: graph.output[1].type.tensor_type.shape.dim[1].__setattr__("dim_value", 9),
            r"has emb.*, 9\) flo",
        ),
        (lambda graph: graph.output[0].type.tensor_type.shape.dim.add(), r"the graph has logit \(batch, \?\) float32"),
        (lambda graph: graph.output[0].type.tensor_type.ClearField("shape"), r"the graph has logit \(\) float32"),
    ],
    ids=["type", "unknown type", "axis", "one axis more", "no shape"],
)
def test_torch_goes_by_types_and_axes_too(spoil: Callable[[Any], None], words: str, tmp_path: Path) -> None:
    """It runs node by node, whatever a graph says of its tensors: what they are is compared before."""
    model = tiny.graph()
    spoil(model.graph)
    with pytest.raises(BundleError, match=words):
        open_backend(tiny.write(tmp_path / "other", tiny.manifest(), model.SerializeToString()), "torch")


def test_it_takes_whole_float32_and_one_thread(bundle: Bundle) -> None:
    """TF32 and BF16 are what torch takes for itself on machines that have them."""
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.allow_tf32 = True
    TorchEngine(bundle)
    assert torch.get_float32_matmul_precision() == "highest" and not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32 and torch.get_num_threads() == 1


def test_training_goes_on_beside_it(bundle: Bundle) -> None:
    """One process trains, makes a bundle, holds it against float64 and trains again."""
    TorchEngine(bundle)
    with arithmetic("cpu", tf32=True):
        assert torch.backends.cudnn.allow_tf32
    TorchEngine(bundle)
    assert not torch.backends.cudnn.allow_tf32


def test_it_runs_on_a_core_unless_a_gpu_is_asked_for(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scorer that names it would otherwise take a GPU that another has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    engine = open_backend(bundle, "torch")
    engine.warmup()
    assert engine.info.device == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineAbsent, match="torch has no CUDA device here"):
        TorchEngine(bundle, device="cuda")


def changed(change: Callable[[onnx.GraphProto], object]) -> bytes:
    """Return the tiny graph with a change."""
    model = tiny.graph()
    change(model.graph)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda body: setattr(body.node[-1], "op_type", "Einsum"),
            r"does not know the operator Einsum 'logit' of tiny",
        ),
        (
            lambda body: body.node[1].attribute.append(helper.make_attribute("clip", 3.0)),
            r"the operator LSTM 'y' with clip, hidden_size, 4 inputs",
        ),
    ],
)
def test_an_operator_that_it_does_not_know_is_refused(
    tmp_path: Path, change: Callable[[onnx.GraphProto], object], words: str
) -> None:
    """Another engine of the list may know it; nothing is guessed."""
    with pytest.raises(EngineUnavailable, match=words):
        TorchEngine(tiny.write(tmp_path / "odd", tiny.manifest(), changed(change)))


def test_a_failure_of_torch_is_an_error_of_ours(tmp_path: Path) -> None:
    """The cause stays attached."""

    def narrow(body: onnx.GraphProto) -> None:
        body.initializer[3].CopyFrom(numpy_helper.from_array(np.zeros((3, 1), np.float32), "V"))

    engine = TorchEngine(tiny.write(tmp_path / "narrow", tiny.manifest(), changed(narrow)))
    with pytest.raises(EngineError, match=r"torch failed on tiny .*: mat1 and mat2") as caught:
        engine.warmup()
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_failure_on_a_gpu_loses_the_device(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA answers a process no more after an error: it has to end."""
    engine = TorchEngine(bundle)

    def fail(*args: Any) -> Any:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(engine, "_run", fail)
    monkeypatch.setattr(engine, "_device", torch.device("cuda"))
    with pytest.raises(DeviceLost, match="illegal memory access"):
        engine.warmup()


# --- OpenVINO --------------------------------------------------------------------------------------------------------


@pytest.fixture
def openvino() -> Any:
    """Return the module of the engine, where its library is installed."""
    if find_spec("openvino") is None:
        lacking("openvino")
    from inference.engines import openvino_engine

    return openvino_engine


def test_other_hints_than_were_asked_for_are_refused(
    openvino: Any, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was compiled is read back: a backend that takes BF16 for itself does not serve."""
    monkeypatch.setitem(openvino.READ_BACK, "INFERENCE_PRECISION_HINT", openvino.openvino.Type.bf16)
    with pytest.raises(EngineUnavailable, match=r"compiled the model with INFERENCE_PRECISION_HINT .*float32"):
        open_backend(bundle, "openvino")


def test_a_machine_that_cannot_compile_it_is_passed_over(
    openvino: Any, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason with its type, so that the next engine of the list is tried."""
    monkeypatch.setitem(openvino.HINTS, "NO_SUCH_HINT", 1)
    with pytest.raises(EngineUnavailable, match=r"openvino does not compile tiny .* here: (?s:.)*NO_SUCH_HINT"):
        open_backend(bundle, "openvino")


#: Imports the engine, and says which processes of its own it has and what would send.
SILENT = """
import sys
import psutil
import inference.engines.openvino_engine
print(len(psutil.Process().children()), sys.modules["openvino_telemetry"])
"""


def test_nothing_is_told_to_anybody_over_the_network(openvino: Any) -> None:
    """Importing OpenVINO sends a message to its maker from a process that stays: here neither exists."""
    environ = {name: value for name, value in os.environ.items() if name != "CI"}  # where it is silent by itself
    done = subprocess.run([sys.executable, "-c", SILENT], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout == "0 None\n"


def test_padding_that_leaks_costs_the_batch(openvino: Any, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """It serves one window at a time then, and keeps no graph for more."""
    engine = open_backend(bundle, "openvino")
    honest = engine._compute  # type: ignore[attr-defined]

    def leaking(x: NDArray[np.float32], filler: float) -> Any:
        outputs = honest(x, filler)
        return outputs | {"logit": outputs["logit"] + np.float32(0.0 if filler == 0.0 else 1.0)}

    monkeypatch.setattr(engine, "_compute", leaking)
    assert settle(engine.selfcheck()).ok and engine.info.max_batch == 1 and not engine.info.batch_invariant


def test_a_failure_of_openvino_is_an_error_of_ours(
    openvino: Any, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cause stays attached; the engine goes on."""
    engine = open_backend(bundle, "openvino")

    class Failing:
        def infer(self, inputs: Any) -> Any:
            raise RuntimeError("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_requests", {1: Failing()})
        with pytest.raises(EngineError, match=r"openvino failed on tiny .*: out of memory"):
            engine.warmup()
    engine.warmup()
