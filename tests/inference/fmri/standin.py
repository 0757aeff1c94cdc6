"""A stand-in for a bundle of scans: one layer of fixed filters, its readout, and a simulated scan to score with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from acquisition.simulator import Patient
from inference.building import with_golden, write_bundle
from inference.bundle import Bundle
from inference.engines.ort import OrtEngine
from inference.fmri.gradcam import Readout
from inference.fmri.parameters import ExpectedScan
from inference.fmri.preparation import PreparationSpec
from tests.inference import tiny
from training.simulated.bold import write_scan
from training.simulated.phantom import ScanSpec
from training.simulated.sites import sites_of

#: Features of the stand-in.
WIDTH = 4
#: Volumes of a scan that is long enough to be prepared, and no longer.
N_VOLUMES = 26


def readout() -> Readout:
    """Return the layers between the pooled features and the logit."""
    weight = np.random.RandomState(7).normal(0, 1, (1, WIDTH)).astype(np.float32)
    return Readout.of((weight, np.array([0.1], np.float32)))


def graph() -> onnx.ModelProto:
    """Return a network of one convolution whose field is one cell of 32 x 32 pixels."""
    [layer] = readout().linears
    random = np.random.RandomState(6)
    weights = {
        "F": random.normal(0, 0.02, (WIDTH, 3, 32, 32)),
        "W": layer.weight.T,
        "b": layer.bias,
    }
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()]
    initializers.append(numpy_helper.from_array(np.array([1]), "axis"))
    nodes = [
        helper.make_node("Conv", ["slices", "F"], ["maps"], strides=[32, 32], kernel_shape=[32, 32]),
        helper.make_node("Relu", ["maps"], ["features"]),
        helper.make_node("ReduceMean", ["features"], ["pooled"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["pooled", "W"], ["weighed"]),
        helper.make_node("Add", ["weighed", "b"], ["column"]),
        helper.make_node("Squeeze", ["column", "axis"], ["logit"]),
    ]
    value = helper.make_tensor_value_info
    inputs = [value("slices", TensorProto.FLOAT, ["n", 3, 224, 224])]
    outputs = [
        value("logit", TensorProto.FLOAT, ["n"]),
        value("features", TensorProto.FLOAT, ["n", WIDTH, 7, 7]),
    ]
    return tiny.model_of(helper.make_graph(nodes, "standin", inputs, outputs, initializers))


def manifest(**changes: Any) -> dict[str, Any]:
    """Return the manifest, without files."""
    whole = tiny.fmri_manifest() | {
        "name": "standin",
        "backbone": "one convolution",
        "preparation": PreparationSpec().to_json(),
        "scan": ExpectedScan().to_json(),
        "cam": {"file": "head.npz", "layers": list(readout().layers)},
    }
    return whole | changes


def build(folder: Path, **changes: Any) -> Bundle:
    """Write the bundle as an export would: once without, once with its golden slices."""
    folder.mkdir(parents=True, exist_ok=True)
    readout().save(folder / "head.npz")
    bundle = tiny.write(folder, manifest(**changes), graph().SerializeToString())
    write_bundle(folder, with_golden(manifest(**changes), OrtEngine(bundle), bundle))
    return Bundle.load(folder)


def scan(path: Path, *, seed: int = 1, n_volumes: int = N_VOLUMES) -> Path:
    """Write a simulated scan, ``*_bold.nii.gz``, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scan(path, Patient.draw(seed), sites_of(0, 1)[0], ScanSpec(n_volumes=n_volumes))
    return path
