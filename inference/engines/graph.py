"""Graph: the nodes and weights of an ONNX file, for whoever executes them one by one.

Reading it needs the ``onnx`` package, which a bedside does not have; nothing there needs this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from inference.engines.tensors import OPEN
from inference.errors import BundleError
from inference.manifest import REMEDY, TensorSpec

#: How ONNX numbers the types of tensors.
TYPES: dict[int, str] = {
    onnx.TensorProto.FLOAT: "float32",
    onnx.TensorProto.DOUBLE: "float64",
    onnx.TensorProto.INT64: "int64",
    onnx.TensorProto.BOOL: "bool",
}


@dataclass(frozen=True)
class Node:
    """One operator; an input or output that is left out has the name ``""``."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.op} {self.outputs[-1]!r}"


@dataclass(frozen=True)
class Graph:
    """Nodes in the order in which they run, weights by name, and what comes in and goes out."""

    nodes: tuple[Node, ...]
    weights: Mapping[str, NDArray[Any]]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    @classmethod
    def read(cls, path: Path) -> Graph:
        """Read the graph of an ONNX file.

        Raises
        ------
        BundleError
            If it is none.
        """
        try:
            body = onnx.load(path).graph
        except DecodeError as error:
            raise BundleError(f"{path} is no ONNX graph: {error}.", subject=str(path), remedy=REMEDY) from error
        weights = {tensor.name: np.array(numpy_helper.to_array(tensor)) for tensor in body.initializer}
        inputs = tuple(_tensor(value) for value in body.input if value.name not in weights)
        return cls(tuple(map(_node, body.node)), weights, inputs, tuple(map(_tensor, body.output)))


def _node(node: onnx.NodeProto) -> Node:
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return Node(node.op_type, tuple(node.input), tuple(node.output), attributes)


def _tensor(value: onnx.ValueInfoProto) -> TensorSpec:
    kind = value.type.tensor_type
    axes = (axis.dim_value if axis.HasField("dim_value") else axis.dim_param or OPEN for axis in kind.shape.dim)
    return TensorSpec(value.name, tuple(axes), TYPES.get(kind.elem_type, f"type {kind.elem_type}"))
