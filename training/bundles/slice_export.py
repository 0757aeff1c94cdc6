"""Export of an image network: from prepared slices to logit and last feature map, as one ONNX graph.

torch's own exporter writes the body. What lies behind the pooling is written here as products and sums of each slice by
itself: a matrix product may add in another order in another batch, and then a slice's bits would depend on its
neighbours (law 1).
"""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn

from training.backbones.backbone import Backbone
from training.backbones.catalogue import GRID, SIZE
from training.backbones.readout import linears_of
from training.bundles.export import OPSET

#: Slices that the exporter sees; the axis stays free.
N_TRACED = 2


def slice_graph(backbone: Backbone) -> onnx.ModelProto:
    """Return the checked graph of an image network.

    Parameters
    ----------
    backbone : Backbone
        Trained, in float32 on the CPU; left as it is.

    Returns
    -------
    onnx.ModelProto
        ``slices`` (n, 3, 224, 224) to ``logit`` (n,) and ``features`` (n, n_features, 7, 7), n free.
    """
    outputs = ["logit", "features"]
    was_training = backbone.training
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="graph-") as folder:
        # That this exporter is the old one; the new one needs a library more and has ours under another name.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _BySlice(backbone).eval(),
            (torch.zeros(N_TRACED, 3, SIZE, SIZE),),
            path := Path(folder) / "model.onnx",
            dynamo=False,
            opset_version=OPSET,
            input_names=["slices"],
            output_names=outputs,
            dynamic_axes={name: {0: "n"} for name in ("slices", *outputs)},
        )
        model = onnx.load(path)
    backbone.train(was_training)
    return _signed(model, backbone)


class _BySlice(nn.Module):
    """A backbone whose last layer is a product and a sum over each slice's features."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone
        *self.hidden, self.last = linears_of(backbone)

    def forward(self, slices: Tensor) -> tuple[Tensor, Tensor]:
        """Return logit and features."""
        features = self.backbone.features(slices)
        pooled = features.mean(dim=(2, 3), keepdim=True)
        for layer in self.hidden:
            pooled = layer(pooled).relu()
        products = pooled.flatten(1) * self.last.get_parameter("weight")
        return products.sum(dim=1) + self.last.get_parameter("bias"), features


def _signed(model: onnx.ModelProto, backbone: Backbone) -> onnx.ModelProto:
    """Return the graph with its name and its tensors' shapes in full, checked."""
    value, graph = helper.make_tensor_value_info, model.graph
    graph.name, model.producer_name, model.producer_version = backbone.name, "flexion", ""
    del graph.output[:]
    shapes: dict[str, list[str | int]] = {
        "logit": ["n"],
        "features": ["n", backbone.architecture.n_features, GRID, GRID],
    }
    graph.output.extend(value(name, TensorProto.FLOAT, shape) for name, shape in shapes.items())
    onnx.checker.check_model(model, full_check=True)
    return model
