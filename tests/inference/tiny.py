"""A tiny LSTM bundle of four channels and 200 samples, and the windows and results that go with it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from acquisition.windowing import Window
from inference.building import with_golden, write_bundle, write_equal_fusion
from inference.bundle import Bundle, FusionBundle
from inference.engines.ort import OrtEngine
from streaming.records import ResultRecord, WindowRecord

LABELS, KINDS = ("C3", "C4", "CP1", "RF"), ("eeg", "eeg", "eeg", "emg")
N_SAMPLES, N_HIDDEN = 200, 8
FINGERPRINT = "f" * 64
FITTED = (1, 2, 3, 6, 12, 24, 53)
N_DRAWS = 20
SESSION = "01JABCDEFGHJKMNPQRSTVWXYZ0"


def graph(n_samples: int = N_SAMPLES, n_channels: int = len(LABELS), forget_bias: float = 0.0) -> onnx.ModelProto:
    """Return an LSTM whose mean hidden state is the embedding, and a linear logit on top.

    A ``forget_bias`` above 0 gives it a long memory: at 3 it halves in about 14 steps, at 0 in one.
    """
    random = np.random.RandomState(5)
    weights = {
        "W": random.normal(0, 0.5, (1, 4 * N_HIDDEN, n_channels)),
        "R": random.normal(0, 0.3, (1, 4 * N_HIDDEN, N_HIDDEN)),
        "B": np.zeros((1, 8 * N_HIDDEN)),
        "V": random.normal(0, 4.0, (N_HIDDEN, 1)),
    }
    # ONNX has the gates in the order i, o, f, c.
    weights["B"][0, 2 * N_HIDDEN : 3 * N_HIDDEN] = forget_bias
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    initializers += [numpy_helper.from_array(np.array([axis]), f"axis{axis}") for axis in (0, 1)]
    nodes = [
        helper.make_node("Transpose", ["x"], ["xt"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["xt", "W", "R", "B"], ["y"], hidden_size=N_HIDDEN),
        helper.make_node("Squeeze", ["y", "axis1"], ["ys"]),
        helper.make_node("ReduceMean", ["ys"], ["embedding"], axes=[0], keepdims=0),
        helper.make_node("MatMul", ["embedding", "V"], ["v"]),
        helper.make_node("Squeeze", ["v", "axis1"], ["logit"]),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("x", TensorProto.FLOAT, ["batch", n_samples, n_channels])]
    outputs = [
        value("logit", TensorProto.FLOAT, ["batch"]),
        value("embedding", TensorProto.FLOAT, ["batch", N_HIDDEN]),
    ]
    return model_of(helper.make_graph(nodes, "tiny", inputs, outputs, initializers))


def model_of(body: onnx.GraphProto) -> onnx.ModelProto:
    """Return a checked model of opset 17."""
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def calibration() -> dict[str, Any]:
    """Return a curve whose slope grows and whose draws narrow with the number of windows."""
    spread = np.linspace(-1.0, 1.0, N_DRAWS)
    return {
        "n": list(FITTED),
        "a": [1.0 - 0.5 / n for n in FITTED],
        "b": [0.1 / n for n in FITTED],
        "draws": {
            "a": [list(1.0 - 0.5 / n + 0.2 * spread / n) for n in FITTED],
            "b": [list(0.1 / n + spread / n**0.5) for n in FITTED],
        },
    }


def manifest(**changes: Any) -> dict[str, Any]:
    """Return the manifest of the tiny eeg_emg bundle, without files."""
    return {
        "name": "tiny",
        "version": "1.0.0",
        "kind": "eeg_emg",
        "origin": "synthetic",
        "licence": "Apache-2.0",
        "training": {"seed": 5},
        "inputs": [{"name": "x", "shape": ["batch", N_SAMPLES, len(LABELS)], "dtype": "float32"}],
        "outputs": [
            {"name": "logit", "shape": ["batch"], "dtype": "float32"},
            {"name": "embedding", "shape": ["batch", N_HIDDEN], "dtype": "float32"},
        ],
        "montage": {"name": "tiny4", "labels": list(LABELS), "kinds": list(KINDS)},
        "rate_hz": 1000.0,
        "window": {"n_samples": N_SAMPLES, "stride": N_SAMPLES},
        "fingerprint": FINGERPRINT,
        "mains_hz": [50.0, 60.0],
        "aggregation": "logit_mean_quality",
        "calibration": {"logit_mean_quality": calibration(), "prob_mean": calibration()},
        "n_min": 2,
        "n_ready": 12,
        "threshold": 0.5,
        "parity": {"logit_atol": 1e-4},
        "embedding": {"mean": [0.0] * N_HIDDEN, "covariance": np.eye(N_HIDDEN).tolist()},
        **changes,
    }


def fmri_manifest() -> dict[str, Any]:
    """Return the manifest of a bundle of kind fmri, without files; its graph is never run here."""
    whole = manifest(name="tiny-fmri", kind="fmri", calibration={"logit_mean_quality": calibration()})
    whole["inputs"] = [{"name": "slices", "shape": ["n", 3, 224, 224], "dtype": "float32"}]
    whole["outputs"] = [
        {"name": "logit", "shape": ["n"], "dtype": "float32"},
        {"name": "features", "shape": ["n", 4, 7, 7], "dtype": "float32"},
    ]
    for key in ("montage", "rate_hz", "window", "fingerprint", "mains_hz", "embedding"):
        del whole[key]
    return whole | image()


def image() -> dict[str, Any]:
    """Return what a manifest of kind fmri says of scans and features; ``write`` makes the file that it names."""
    return {
        "backbone": "tiny",
        "preparation": {},
        "scan": {},
        "cam": {"file": "card.md", "layers": ["linear"]},
        "sanity": {"correlation": 0.1, "n_slices": 20},
    }


def write(folder: Path, whole: dict[str, Any], model: bytes = b"") -> Bundle:
    """Write a model bundle and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.md").write_text("# tiny\n", encoding="utf-8")
    (folder / "model.onnx").write_bytes(model or graph().SerializeToString())
    write_bundle(folder, whole)
    return Bundle.load(folder)


def build(folder: Path, forget_bias: float = 0.0) -> Bundle:
    """Write the tiny bundle as training would: once without, once with its golden windows."""
    model = graph(forget_bias=forget_bias).SerializeToString()
    bundle = write(folder, manifest(), model)
    engine = OrtEngine(bundle)
    return write(folder, with_golden(manifest(), engine, bundle), model)


def fused(
    folder: Path, eeg_emg: Bundle, fmri: Bundle | None, draws: int = 0, n_min: int = 2, method: str = "logit_stack"
) -> FusionBundle:
    """Write the equal fusion of two bundles, or one of another method with some draws."""
    equal = write_equal_fusion(folder, eeg_emg, fmri)
    if not draws:
        return equal
    spread = [{"eeg_emg": 0.6 + 0.01 * i, "fmri": 0.4 - 0.01 * i, "bias": 0.0} for i in range(draws)]
    write_bundle(
        folder,
        {
            "name": "tiny-fusion",
            "version": "1.0.0",
            "kind": "fusion",
            "origin": "synthetic",
            "licence": "Apache-2.0",
            "training": {},
            "method": method,
            "untrained": False,
            "weights": {"eeg_emg": 0.6, "fmri": 0.4, "bias": 0.0},
            "draws": spread,
            "bundles": dict(equal.fusion.fitted_on),
            "n_min": n_min,
            "n_ready": 12,
        },
    )
    return FusionBundle.load(folder)


def samples(seed: int) -> NDArray[np.float32]:
    """Return one window of noise in microvolts."""
    x_uv = np.random.RandomState(seed).normal(0, 20, (N_SAMPLES, len(LABELS))).astype(np.float32)
    x_uv.flags.writeable = False
    return x_uv


def window(index: int = 0, **changes: Any) -> Window:
    """Return window ``index`` of a session without a gap."""
    values: dict[str, Any] = {
        "index": index,
        "segment": 0,
        "first_sample": 4_000 + index * N_SAMPLES,
        "x_uv": samples(index),
        "channel_quality": (1.0,) * len(LABELS),
        "faults": ((),) * len(LABELS),
        "sqi": 1.0,
        "weight": 1.0,
        "flags": (),
        "n_bridged": 0,
        "phases": (("flexion", 0, N_SAMPLES),),
        "calibration": "",
        "fingerprint": FINGERPRINT,
        "mains_hz": 50.0,
        "rate_hz": 1000.0,
        "resampled_from_hz": None,
    }
    return Window(**{**values, **changes})


def record(bundle: Bundle, index: int = 0, *, session: str = SESSION, **changes: Any) -> WindowRecord:
    """Return window ``index`` on its way to a scorer; ``changes`` are the window's."""
    return WindowRecord(
        session=session,
        term=1,
        window=window(index, **changes),
        montage="tiny4",
        labels=LABELS,
        bundle_sha256=bundle.sha256,
        stamp_s=100.0 + index,
    )


def result(bundle: Bundle | None, index: int, logit: float | None = 0.5, **changes: Any) -> ResultRecord:
    """Return the result of window ``index``: scored, or not when ``logit`` is None."""
    values: dict[str, Any] = {
        "session": SESSION,
        "index": index,
        "segment": 0,
        "first_sample": 4_000 + index * N_SAMPLES,
        "state": "not_scored" if logit is None else "scored",
        "reason": "quality" if logit is None else None,
        "logit": logit,
        "embedding": None,
        "sqi": 0.0 if logit is None else 1.0,
        "weight": 0.0 if logit is None else 1.0,
        "flags": (),
        "phases": (),
        "channel_quality": (1.0,) * len(LABELS),
        "bundle_sha256": "" if bundle is None else bundle.sha256,
        "fingerprint": FINGERPRINT,
        "calibration": "",
        "engine": None,
        "stamp_s": math.nan,
        "stages_s": {},
    }
    return ResultRecord(**{**values, **changes})
