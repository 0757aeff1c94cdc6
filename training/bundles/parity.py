"""Parity: the graph that leaves is the network that was trained, head by head, and no window's bits depend on others.

What runs at the bedside is ONNX Runtime in float32, so that is what is held against float64 here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from inference.engines import parity as engines
from inference.engines.engine import MAX_BATCH
from inference.engines.ort import LOG_ERRORS
from inference.manifest import TensorSpec
from training.bundles.exact import Exact
from training.errors import GateError
from training.models.networks import StackedLstm

#: Largest difference of a logit between two engines that may serve one session; a manifest's ``parity.logit_atol``.
LOGIT_ATOL = 1e-4
#: Largest difference of each output from float64; `fma` is in points, of which the screen shows whole ones.
ATOL = {"logit": LOGIT_ATOL, "embedding": 1e-4, "fma": 1e-2}
#: Batch sizes that are compared: alone, as a window goes live, and as many as a scorer takes at once.
BATCHES = (1, 4)

#: What helps where bits depend on the batch: ONNX Runtime adds in another order for the rest of a width by four.
WIDTHS_REMEDY = "Train a network whose widths are multiples of 4."


class Graph:
    """An ONNX graph in ONNX Runtime, one thread, as at the bedside.

    Parameters
    ----------
    model : bytes
        The serialised graph.
    """

    def __init__(self, model: bytes) -> None:
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = LOG_ERRORS
        self._session = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]
        [x] = self._session.get_inputs()
        self.input = TensorSpec(x.name, tuple(x.shape), "float32")

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """Return the outputs by name."""
        return dict(zip(self._names, self._session.run(self._names, dict(inputs)), strict=True))

    def outputs(self, x: NDArray[np.float32], batch: int) -> dict[str, NDArray[np.float32]]:
        """Return the outputs of windows that are run so many at a time."""
        parts = [self.run({self.input.name: x[i : i + batch]}) for i in range(0, len(x), batch)]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._names}


def pass_parity(net: StackedLstm, model: bytes, x: NDArray[np.float32], name: str) -> dict[str, float]:
    """Return the largest difference of each output between graph and network, if the graph may leave.

    Parameters
    ----------
    net : StackedLstm
        Trained; left as it is.
    model : bytes
        Its graph, serialised.
    x : ndarray, shape (n_windows, n_samples, n_channels), float32
        Z-scored windows.
    name : str
        Of the network, for the refusal.

    Raises
    ------
    GateError
        If an output differs by more than ``ATOL``, or if a window's bits depend on its batch.
    """
    graph, expected = Graph(model), Exact(net).outputs(x)
    found = [graph.outputs(x, batch) for batch in BATCHES]
    largest = {
        output: float(np.max([np.abs(one[output] - exact).max() for one in found]))
        for output, exact in expected.items()
    }
    for output, difference in largest.items():
        if not difference <= ATOL[output]:
            raise _refusal(name, f"{output} is {difference:.1e} away from the network's, {ATOL[output]:g} is allowed")
    checked = engines.settle(engines.check(graph.run, graph.input, (), LOGIT_ATOL, MAX_BATCH))
    if not (checked.repeatable and checked.batch_invariant):
        raise _refusal(name, "bits change from run to run, or with the batch that a window is in", WIDTHS_REMEDY)
    return largest


def _refusal(name: str, words: str, remedy: str = "Report it with the run's config.toml.") -> GateError:
    return GateError(f"The graph of {name} is not its network: its {words}.", subject=name, remedy=remedy)
