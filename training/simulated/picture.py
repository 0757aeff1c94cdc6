"""A picture of simulated scans: ``python -m training.simulated.picture docs/images/synthetic-bold.png``.

Three layers of a patient who recovers well and of one who does not, each the mean of the volumes after saturation.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.simulator import Patient
from training.simulated.bold import volumes
from training.simulated.phantom import ScanSpec
from training.simulated.sites import sites_of

#: Recoveries that are shown: one in fourteen patients is better, one in fourteen worse.
SHOWN = (("good recovery", 1.5, 11), ("poor recovery", -1.5, 12))
#: Layers that are shown, from the bottom: nuclei and internal capsule, corona radiata, motor cortex.
LAYERS = (18, 21, 26)
#: Volumes left out while the signal saturates, and those that are averaged.
SATURATING, AVERAGED = 5, 20


def mean_image(patient: Patient, scan: ScanSpec) -> NDArray[np.float64]:
    """Return the mean of a patient's first saturated volumes."""
    kept = islice(volumes(patient, sites_of(1, 1)[0], scan), SATURATING, SATURATING + AVERAGED)
    return np.mean(list(kept), axis=0)


def draw(path: Path) -> None:
    """Draw the picture, left of the patient on the left."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.4, 3.8), dpi=90)
    axes = figure.subplots(len(SHOWN), len(LAYERS))
    for row, (words, recovery, seed) in zip(axes, SHOWN, strict=True):
        image = mean_image(Patient(recovery, seed, effect=2.0), ScanSpec())
        for axis, layer in zip(row, LAYERS, strict=True):
            axis.imshow(image[::-1, ::-1, layer].T, cmap="gray", vmin=0, vmax=np.percentile(image, 99.7))
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_xlabel(f"layer {layer}")
        row[0].set_ylabel(words)
    figure.suptitle("Simulated BOLD: no patient")
    figure.tight_layout()
    figure.savefig(path)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
