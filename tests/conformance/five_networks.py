"""The five image networks beside each other, on the slices of one simulated scan.

``python -m tests.conformance.five_networks`` prints the table of docs/backbones.md; it takes a minute or two. Each has
random weights and the statistics of these slices. Their graphs are held to them, their maps in closed form to Grad-CAM
by automatic differentiation, and their maps to those of other random weights.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from inference.fmri.gradcam import cam
from inference.fmri.preparation import PreparationSpec, prepare
from training.backbones import sanity
from training.backbones.backbone import Backbone, create
from training.backbones.catalogue import NAMES
from training.backbones.readout import readout_of
from training.backbones.weights import Weights
from training.bundles.slice_export import slice_graph
from training.bundles.slice_parity import pass_slice_parity
from training.simulated.bold import write_scan
from training.simulated.phantom import ScanSpec
from training.simulated.roster import roster_of
from training.simulated.spec import SynthSpec

#: Volumes of the scan: the least that make a mean; and slices that are tried.
N_VOLUMES, N_SLICES = 30, 8
#: Of the weights: of the networks, and of those that their maps are held against.
SEED, OTHER_SEED = 1, 100
HEAD = ("network", "parameters", "graph, MB", "logit", "features", "map", "sanity")


@dataclass(frozen=True)
class Row:
    """What was found of one network.

    Attributes
    ----------
    words : str
        Its name.
    n_parameters : int
    graph_mb : float
    logit, features : float
        Largest difference between graph and float64; that of the features as a share of the largest.
    cam : float
        Largest difference between closed form and automatic differentiation, as a share of the largest value.
    sanity : float
        Rank correlation of the maps with those of other random weights.
    """

    words: str
    n_parameters: int
    graph_mb: float
    logit: float
    features: float
    cam: float
    sanity: float

    @property
    def cells(self) -> tuple[str, ...]:
        """Cells of the table."""
        sizes = (f"{self.n_parameters / 1e6:.2f} M", f"{self.graph_mb:.1f}")
        differences = (f"{value:.1e}" for value in (self.logit, self.features, self.cam))
        return (self.words, *sizes, *differences, f"{self.sanity:.2f}")


def row_of(name: str, slices: NDArray[np.float32]) -> Row:
    """Return what is found of one network.

    Parameters
    ----------
    name : str
        One of the five.
    slices : ndarray, shape (n, 3, 224, 224), float32
        Prepared.

    Raises
    ------
    GateError
        If its graph is another network.
    """
    net = sanity.settled(create(name, weights=Weights(), seed=SEED), slices)
    graph = slice_graph(net).SerializeToString()
    return Row(
        net.architecture.words,
        sum(part.numel() for part in net.parameters()),
        len(graph) / 1e6,
        **pass_slice_parity(net, graph, slices, name),
        cam=cam_difference(net, slices),
        sanity=sanity.check(net, slices, OTHER_SEED).correlation,
    )


def cam_difference(net: Backbone, slices: NDArray[np.float32]) -> float:
    """Return the largest difference of both signs between closed form and automatic differentiation, as a share."""
    with torch.no_grad():
        features = net.eval().features(torch.from_numpy(slices)).numpy()
    closed, automatic = cam(features, readout_of(net)), sanity.grad_cam(net, slices)
    sides = ((closed.positive, automatic.positive), (closed.negative, automatic.negative))
    return max(float(np.abs(one - other).max()) for one, other in sides) / float(np.abs(closed.signed).max())


def simulated_slices(n: int = N_SLICES) -> NDArray[np.float32]:
    """Return slices of one simulated scan, from the lowest to the highest."""
    member = roster_of(SynthSpec(patients=2, with_eeg=2, seed=SEED))[0]
    with tempfile.TemporaryDirectory(prefix="scan-") as folder:
        path = Path(folder) / "scan_bold.nii.gz"
        write_scan(path, member.patient, member.site, ScanSpec(n_volumes=N_VOLUMES))
        slices = prepare(path, PreparationSpec()).slices
    return np.ascontiguousarray(slices[np.linspace(0, len(slices) - 1, n).round().astype(int)])


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown."""
    lines = [HEAD, ("---",) * len(HEAD), *(row.cells for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Print the table."""
    slices = simulated_slices()
    print(table([row_of(name, slices) for name in NAMES]))


if __name__ == "__main__":
    main()
