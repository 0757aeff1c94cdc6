"""Engines: one contract, whatever runs below it; here ONNX Runtime, its choice and its self-check."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from inference.building import write_bundle
from inference.bundle import Bundle
from inference.engines import ort, parity
from inference.engines.choice import choose, open_engine
from inference.engines.engine import MAX_BATCH, Engine
from inference.engines.ort import OrtEngine
from inference.engines.parity import GOLDEN_SET, OTHER_BITS, SMALL, check, golden_window, settle, trials
from inference.errors import BundleError, DeviceLost, EngineError, EngineUnavailable
from inference.manifest import Golden, TensorSpec
from tests.inference import tiny

#: The cases of the ONNX standard that one bundle's engine can run: one direction, no lengths of sequences.
ORACLES = ("test_lstm_defaults", "test_lstm_with_initial_bias")

Outputs = Mapping[str, NDArray[np.float32]]


def batch(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Return n z-scored windows of noise."""
    return np.random.RandomState(seed).normal(0, 1, (n, tiny.N_SAMPLES, len(tiny.LABELS))).astype(np.float32)


# --- the contract ----------------------------------------------------------------------------------------------------


def test_it_gives_what_the_manifest_names(engine: Engine) -> None:
    """One logit and one embedding per window."""
    outputs = engine.run({"x": batch(3)})
    assert {name: (value.shape, value.dtype) for name, value in outputs.items()} == {
        "logit": ((3,), np.dtype(np.float32)),
        "embedding": ((3, tiny.N_HIDDEN), np.dtype(np.float32)),
    }


@pytest.mark.parametrize("n", [1, 2, 3, 7, 8, MAX_BATCH])
def test_a_window_has_the_same_bits_in_every_batch(engine: Engine, n: int) -> None:
    """Size, slot and loud neighbours leave no trace (law 1)."""
    x = batch(1)
    alone = engine.run({"x": x})
    for slot in {0, n // 2, n - 1}:
        among = batch(n, seed=n) * np.float32(50)
        among[slot] = x[0]
        outputs = engine.run({"x": among})
        assert all(outputs[name][slot].tobytes() == alone[name][0].tobytes() for name in alone)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, r"takes x \(batch, 200, 4\) float32, but inputs \[\] came"),
        ({"x": batch(1), "y": batch(1)}, r"but inputs \['x', 'y'\] came"),
        ({"x": batch(1).astype(np.float64)}, r"but x \(1, 200, 4\) float64 came"),
        ({"x": batch(1)[:, :100]}, r"but x \(1, 100, 4\) float32 came"),
        ({"x": batch(1)[0]}, r"but x \(200, 4\) float32 came"),
        ({"x": batch(1) * np.float32(np.nan)}, r"but x with a value that is not finite came"),
        ({"x": np.full_like(batch(1), -np.inf)}, r"with a value that is not finite came"),
    ],
)
def test_what_the_manifest_does_not_name_is_refused(engine: Engine, inputs: dict[str, Any], words: str) -> None:
    """Names, dtype, shape and finite values are checked before the backend sees them."""
    with pytest.raises(EngineError, match=words):
        engine.run(inputs)


def test_what_runs_is_said(engine: Engine) -> None:
    """Backend, device, precision and version travel with every result."""
    info = engine.info
    assert (info.backend, info.device, info.precision, info.degraded) == ("onnxruntime-cpu", "cpu", "fp32", False)
    assert info.version == onnxruntime.__version__ and info.batch_invariant and info.max_batch == MAX_BATCH


def test_a_closed_engine_says_so(bundle: Bundle) -> None:
    """It cannot be used again."""
    engine = OrtEngine(bundle)
    engine.close()
    with pytest.raises(EngineError, match=r"The engine is closed\. Open it again\."):
        engine.run({"x": batch(1)})


def test_batches_are_not_allowed_before_they_were_checked(bundle: Bundle) -> None:
    """Batch invariance is found, never assumed."""
    engine = OrtEngine(bundle)
    assert not engine.info.batch_invariant and engine.info.max_batch == 1
    assert settle(engine.selfcheck()).ok and engine.info.max_batch == MAX_BATCH


# --- ONNX Runtime ----------------------------------------------------------------------------------------------------


def test_one_thread_and_no_spinning(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second thread gains nothing and collapses under contention."""
    seen: list[onnxruntime.SessionOptions] = []
    real = onnxruntime.InferenceSession

    def spy(path: Any, options: onnxruntime.SessionOptions, **other: Any) -> Any:
        seen.append(options)
        return real(path, options, **other)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    OrtEngine(bundle)
    [options] = seen
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_provider_that_is_exchanged_silently_is_refused(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime goes on with another provider when one cannot start; what runs is compared with what was asked."""
    other = "AzureExecutionProvider"
    monkeypatch.setitem(ort.PROVIDERS, "onnxruntime-cpu", (other, {}, "cloud"))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [other])
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *args, **other: SilentFallback())
    with pytest.raises(EngineUnavailable, match=f"needs ONNX Runtime's {other}, which does not start here: CPUExec"):
        OrtEngine(bundle)


def test_no_provider_is_exchanged_while_it_works(bundle: Bundle) -> None:
    """ONNX Runtime would take another one for the rest of its life where a call of this one fails."""
    assert OrtEngine(bundle)._session._enable_fallback is False


def test_a_gpu_that_cannot_open_a_model_is_passed_over(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is full, or its libraries fail: that is no fault of the bundle's."""

    def full(*args: Any, **other: Any) -> None:
        raise RuntimeException("CUDA failure 2: out of memory")

    monkeypatch.setitem(ort.PROVIDERS, "onnxruntime-cuda", ort.PROVIDERS["onnxruntime-cpu"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", full)
    with pytest.raises(EngineUnavailable, match=r"onnxruntime-cuda does not open tiny .*: CUDA failure 2: out of mem"):
        OrtEngine(bundle, "onnxruntime-cuda")


class SilentFallback:
    """A session that runs on another provider than it was asked for."""

    def get_providers(self) -> list[str]:
        """Return what runs."""
        return ["CPUExecutionProvider"]


def test_a_backend_that_fails_is_an_error_of_ours(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cause stays attached; the engine goes on."""
    engine = OrtEngine(bundle)

    class Failing:
        def run(self, *args: Any) -> None:
            raise RuntimeException("out of memory")

    with monkeypatch.context() as patch:
        patch.setattr(engine, "_session", Failing())
        with pytest.raises(EngineError, match=r"onnxruntime-cpu failed on tiny .*: out of memory") as caught:
            engine.run({"x": batch(1)})
    assert isinstance(caught.value.__cause__, RuntimeException)
    engine.warmup()


def test_a_gpu_that_fails_under_it_is_lost(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every later call would fail: no error that a scorer tries the window again on."""
    monkeypatch.setitem(ort.PROVIDERS, "onnxruntime-cuda", ort.PROVIDERS["onnxruntime-cpu"])
    engine = OrtEngine(bundle, "onnxruntime-cuda")

    class Failing:
        def run(self, *args: Any) -> None:
            raise RuntimeException("CUDA failure 700: an illegal memory access was encountered ; GPU=0\nmore")

    monkeypatch.setattr(engine, "_session", Failing())
    with pytest.raises(DeviceLost, match=r"The GPU failed: CUDA failure 700: an illegal .* GPU=0\. This process ends"):
        engine.run({"x": batch(1)})


@pytest.fixture
def spoilt(bundle: Bundle, tmp_path: Path) -> Callable[..., Bundle]:
    """Return a function that writes the tiny bundle with another graph or other keys."""

    def write(model: bytes = b"", **changes: Any) -> Bundle:
        return tiny.write(tmp_path / "spoilt", tiny.manifest(**changes), model)

    return write


def test_a_graph_that_cannot_be_read_is_refused(spoilt: Callable[..., Bundle]) -> None:
    """Rubbish with the right hash is still rubbish."""
    with pytest.raises(BundleError, match=r"model\.onnx cannot be run by onnxruntime-cpu: "):
        OrtEngine(spoilt(b"rubbish"))


@pytest.mark.parametrize("opset", [1, 99])
def test_a_graph_of_another_opset_is_refused(spoilt: Callable[..., Bundle], opset: int) -> None:
    """Older than its operators, or newer than this ONNX Runtime."""
    model = tiny.graph()
    model.opset_import[0].version = opset
    with pytest.raises(BundleError, match=r"model\.onnx cannot be run by onnxruntime-cpu: ") as caught:
        OrtEngine(spoilt(model.SerializeToString()))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (
            tiny.graph(n_samples=100),
            r"the manifest names x \(batch, 200, 4\) float32, the graph has x \(batch, 100, 4\) float32",
        ),
        (tiny.graph(n_channels=3), r"the graph has x \(batch, 200, 3\) float32"),
    ],
)
def test_a_graph_with_other_tensors_is_refused(
    spoilt: Callable[..., Bundle], model: onnx.ModelProto, words: str
) -> None:
    """The manifest is what the code goes by, so the graph must agree with it."""
    with pytest.raises(BundleError, match=words):
        OrtEngine(spoilt(model.SerializeToString()))


def test_an_output_that_the_graph_lacks_is_refused(spoilt: Callable[..., Bundle]) -> None:
    """A manifest that promises more than the graph gives."""
    outputs = [*tiny.manifest()["outputs"], {"name": "fma", "shape": ["batch"], "dtype": "float32"}]
    fma = {"half_width": 7.0, "coverage": 0.9, "n": 40}
    with pytest.raises(BundleError, match=r"the manifest names fma \(batch\) float32, the graph has no such tensor"):
        OrtEngine(spoilt(outputs=outputs, fma=fma))


# --- choice ----------------------------------------------------------------------------------------------------------


def test_a_fallback_is_never_silent(bundle: Bundle) -> None:
    """What was passed over is said, and every result carries `degraded`."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA, so nothing is passed over")
    choice = choose(bundle, ("onnxruntime-cuda", "onnxruntime-cpu"))
    assert choice.engine.info.degraded and choice.engine.info.to_json()["degraded"]
    assert "needs ONNX Runtime's CUDAExecutionProvider, which this machine lacks" in choice.passed_over[0]


def test_a_list_that_nothing_satisfies_is_refused(bundle: Bundle) -> None:
    """Exit code 4: the machine lacks something, and why is said for each."""
    with pytest.raises(EngineUnavailable, match=r"No engine of the list \(empty\) runs tiny") as caught:
        open_engine(bundle, ())
    assert caught.value.exit_code == 4
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(
            EngineUnavailable, match=r"No engine of the list \(onnxruntime-cuda\).*which this machine lacks"
        ):
            open_engine(bundle, ("onnxruntime-cuda",))


def test_an_engine_that_fails_its_self_check_does_not_serve(bundle: Bundle, tmp_path: Path) -> None:
    """A golden logit that is off: the engine is closed, the figures are said."""
    folder = Path(shutil.copytree(bundle.path, tmp_path / "off"))
    golden = [{"window": "noise", "seed": 0, "logit": 7.5}]
    write_bundle(folder, tiny.manifest(golden=golden))
    with pytest.raises(
        EngineUnavailable, match=r"failed its self-check on tiny.*noise 0: logit .*, expected 7\.5 within"
    ):
        open_engine(Bundle.load(folder))


# --- parity ----------------------------------------------------------------------------------------------------------

TENSOR = TensorSpec("x", ("batch", 6, 2), "float32")


def honest(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
    """Answer with a sum per window."""
    return {"logit": inputs["x"].astype(np.float64).sum(axis=(1, 2)).astype(np.float32)}


def golden(run: Callable[[Mapping[str, NDArray[Any]]], Outputs] = honest) -> tuple[Golden, ...]:
    """Return the golden set of the honest engine."""
    return parity.golden_logits(run, TENSOR)


def test_golden_windows_are_the_same_bits_everywhere() -> None:
    """A frozen generator and single IEEE operations: these values hold on every machine."""
    noise = golden_window("noise", 1, (4, 2))
    assert hashlib.sha256(noise.tobytes()).hexdigest()[:16] == "b240c8224ae1746a"
    np.testing.assert_allclose(noise[0], [-0.2874442, 0.7632264], rtol=1e-6)
    hold = golden_window("hold", 3, (120, 2))
    assert (hold[:50] == hold[0]).all() and (hold[50:100] == hold[50]).all() and (hold[50] != hold[0]).all()
    assert not golden_window("zeros", 0, (4, 2)).any()
    for name, place in (("impulse-first", 0), ("impulse-last", -1)):
        impulse = golden_window(name, 0, (4, 2))
        assert (impulse[place] == 2.0).all() and np.count_nonzero(impulse) == 2
    with pytest.raises(BundleError, match=r"There is no golden window 'sine'"):
        golden_window("sine", 0, (4, 2))


def test_an_honest_engine_passes() -> None:
    """The golden set, repeated, reversed and among loud neighbours."""
    found = settle(check(honest, TENSOR, golden(), 1e-6, MAX_BATCH))
    assert found.ok and found.repeatable and found.batch_invariant and found.largest == 0.0
    assert len(golden()) == len(GOLDEN_SET)


def test_a_difference_within_the_tolerance_passes_and_is_said() -> None:
    """Class B: |dlogit| <= parity.logit_atol."""
    off = [replace(one, logit=one.logit + 0.5) for one in golden()]
    assert settle(check(honest, TENSOR, off, 0.6, MAX_BATCH)).ok
    assert settle(check(honest, TENSOR, off, 0.6, MAX_BATCH)).largest == pytest.approx(0.5, abs=1e-6)
    problems = settle(check(honest, TENSOR, off, 0.4, MAX_BATCH)).problems
    assert len(problems) == len(GOLDEN_SET) and "golden window noise 0: logit" in problems[0]


def test_without_golden_logits_the_bits_are_still_compared() -> None:
    """A bundle in the making is checked for repeatability and batches."""
    found = settle(check(honest, TENSOR, (), 0.0, MAX_BATCH))
    assert found.ok and found.batch_invariant and found.largest == 0.0


def test_neighbours_that_leak_are_found() -> None:
    """Dynamic int8 does this: one scale for the whole batch."""

    def leaking(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        return {"logit": honest(inputs)["logit"] + np.float32(1e-3 * np.abs(inputs["x"]).max())}

    found = settle(check(leaking, TENSOR, golden(leaking), 1.0, MAX_BATCH))
    assert found.ok and found.repeatable and not found.batch_invariant


@pytest.mark.parametrize("n", [2, 3, 4, 8, MAX_BATCH])
def test_a_batch_that_differs_is_found_at_every_size_that_serves(n: int) -> None:
    """A backend may compile each size for itself."""

    def odd(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        return {"logit": honest(inputs)["logit"] + np.float32(1e-3 * (len(inputs["x"]) == n))}

    found = settle(check(odd, TENSOR, golden(odd), 1.0, MAX_BATCH))
    assert found.ok and found.repeatable and not found.batch_invariant


def test_an_engine_may_serve_after_its_golden_windows_and_in_batches_as_they_are_shown() -> None:
    """What nobody is to wait for comes later, a batch at a time, the smallest first."""
    calls: list[int] = []

    def counted(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        calls.append(len(inputs["x"]))
        return honest(inputs)

    checks = check(counted, TENSOR, golden(), 1e-6, MAX_BATCH)
    first = next(checks)
    assert first.ok and not first.repeatable and not first.batch_invariant and first.max_batch == 1
    assert calls == [1] * (len(GOLDEN_SET) + 1)
    allowed = [1]
    for found in checks:
        assert max(calls) >= found.max_batch >= allowed[-1]
        allowed.append(found.max_batch)
    assert set(allowed) == {1, *SMALL, MAX_BATCH} and found.batch_invariant and found.repeatable


def test_bits_that_change_in_the_second_run_of_a_later_window_are_found() -> None:
    """Engines that serve already must stop then."""
    calls = iter(range(1000))

    def late(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        return {"logit": honest(inputs)["logit"] + np.float32(next(calls) > len(GOLDEN_SET) + 3)}

    first, *_, last = check(late, TENSOR, golden(), 1e-6, MAX_BATCH)
    assert first.ok and last.problems == (OTHER_BITS,) and last.max_batch == 1


@given(n=st.integers(1, 12), largest=st.integers(1, 40))
def test_every_golden_window_is_tried_in_every_size_and_every_slot_beside_loud_neighbours(n: int, largest: int) -> None:
    """Sizes grow, no batch is larger than its size, and each batch is full unless the windows are at their end."""
    tried = list(trials(n, largest))
    sizes = [size for size, _ in tried]
    assert sizes == sorted(set(sizes)) and sizes[0] == 1 and sizes[-1] == largest
    for size, batches in tried:
        assert all(1 <= len(rows) <= size and all(~n < i < n for i in rows) for rows in batches)
        assert {i for rows in batches for i in rows if i >= 0} == set(range(n))
        beside_loud = {slot for rows in batches for slot, i in enumerate(rows) if i >= 0 > min(rows)}
        assert beside_loud == (set(range(size)) if size > 1 else set())


def test_bits_that_change_from_run_to_run_are_found() -> None:
    """Such an engine must not serve: the same window would have two scores."""
    random = np.random.RandomState(0)

    def shaky(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        return {"logit": honest(inputs)["logit"] + np.float32(1e-6 * random.random_sample() + 1e-5)}

    found = settle(check(shaky, TENSOR, golden(), 1e-3, MAX_BATCH))
    assert not found.repeatable and found.problems == (OTHER_BITS,)


def test_a_logit_that_is_not_finite_is_found() -> None:
    """Silence must not make a model overflow."""

    def broken(inputs: Mapping[str, NDArray[Any]]) -> Outputs:
        return {"logit": np.full(len(inputs["x"]), np.nan, np.float32)}

    found = settle(check(broken, TENSOR, (), 1.0, MAX_BATCH))
    assert "a golden window gave a logit that is not finite" in found.problems
    assert not settle(check(broken, TENSOR, golden(), 1.0, MAX_BATCH)).ok


# --- the standard's own reference values -----------------------------------------------------------------------------


def oracle(folder: Path, case: Path) -> tuple[Bundle, NDArray[np.float32], NDArray[np.float32]]:
    """Return a bundle around the LSTM of a reference case, its input and its expected last hidden state."""
    model = onnx.load(case / "model.onnx")
    [node] = model.graph.node
    inputs = [numpy_helper.to_array(onnx.load_tensor(str(p))) for p in sorted(case.glob("test_data_set_0/input_*.pb"))]
    expected = numpy_helper.to_array(onnx.load_tensor(str(case / "test_data_set_0" / "output_0.pb")))
    weights = [numpy_helper.from_array(w, name) for w, name in zip(inputs[1:], list(node.input)[1:], strict=True)]
    x, y = inputs[0], next(name for name in node.output if name)
    n_steps, _, n_features = x.shape
    value, number = helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Transpose", ["x"], [node.input[0]], perm=[1, 0, 2]),
        node,
        helper.make_node("Squeeze", [y, "axis0"], ["hidden"]),
        helper.make_node("ReduceSum", ["hidden", "axis1"], ["logit"], keepdims=0),
    ]
    axes = [numpy_helper.from_array(np.array([axis]), f"axis{axis}") for axis in (0, 1)]
    outputs = [value("logit", number, ["batch"]), value("hidden", number, ["batch", expected.shape[-1]])]
    body = helper.make_graph(
        nodes, "oracle", [value("x", number, ["batch", n_steps, n_features])], outputs, [*weights, *axes]
    )
    manifest = tiny.manifest(
        inputs=[{"name": "x", "shape": ["batch", n_steps, n_features], "dtype": "float32"}],
        outputs=[
            {"name": "logit", "shape": ["batch"], "dtype": "float32"},
            {"name": "hidden", "shape": ["batch", expected.shape[-1]], "dtype": "float32"},
        ],
    )
    bundle = tiny.write(folder, manifest, tiny.model_of(body).SerializeToString())
    return bundle, np.ascontiguousarray(x.transpose(1, 0, 2)), expected[0]


@pytest.mark.conformance
@pytest.mark.parametrize("name", ORACLES)
def test_an_lstm_gives_the_standards_values(shared_data: Path, tmp_path: Path, name: str) -> None:
    """The reference cases of ONNX itself, through a bundle and our engine."""
    case = shared_data / "ref-onnx-lstm" / name
    if not case.is_dir():
        pytest.skip(f"no reference case at {case}")
    bundle, x, expected = oracle(tmp_path, case)
    engine = open_engine(bundle)
    np.testing.assert_allclose(engine.run({"x": x})["hidden"], expected, rtol=1e-4, atol=1e-6)
