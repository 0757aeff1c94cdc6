"""Where the networks of a run on scans looked (the paper's Figure 2), for patients that they had not seen.

Two patients of each outcome, the first by name among those whom the first repeat tests: nobody is chosen by what is to
be seen. Each is shown by the network of the fold that tested him, of the backbone that the run exports: the slice with
the strongest attention, as it is and with Grad-CAM over it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acquisition.durable import make_folder, replace_file
from inference.bundle import MANIFEST, Bundle
from inference.fmri.gradcam import cam, upsample
from inference.fmri.overlay import AWAY, OPACITY, TOWARDS
from training.cohort.cohort import Cohort
from training.runs.predictions import Prediction
from training.runs.run_folder import RunFolder
from training.splitting.splits import Fold

if TYPE_CHECKING:
    from training.backbones.backbone import Backbone
    from training.data.slices import PatientSlices

#: Patients of each outcome.
N_OF_EACH = 2
#: Pixels between the slice and the same with attention over it.
GAP = 8


@dataclass(frozen=True, eq=False)
class Looked:
    """One slice, and where a network looked in it.

    Parameters
    ----------
    place : int
        Of the slice among the patient's.
    grey : ndarray, shape (size, size)
        Brightness, 0 to 1.
    signed : ndarray, shape (size, size)
        Grad-CAM, above 0 towards the better outcome, as a share of the strongest cell of the scan.
    """

    place: int
    grey: NDArray[np.float64]
    signed: NDArray[np.float64]

    @property
    def towards(self) -> float:
        """Which share of the slice's attention is towards the better outcome; one half where there is none."""
        whole = float(np.abs(self.signed).sum())
        return float(np.maximum(self.signed, 0.0).sum()) / whole if whole else 0.5

    def png(self) -> bytes:
        """Return both side by side: the slice, and the same with attention over it."""
        from PIL import Image

        plain = np.repeat(255.0 * self.grey[..., np.newaxis], 3, axis=-1)
        share = OPACITY * np.abs(self.signed)[..., np.newaxis]
        colour = np.where(self.signed[..., np.newaxis] > 0.0, TOWARDS, AWAY)
        gap = np.zeros((len(plain), GAP, 3))
        both = np.concatenate([plain, gap, (1.0 - share) * plain + share * colour], axis=1)
        out = io.BytesIO()
        Image.fromarray(np.rint(both).astype(np.uint8)).save(out, "PNG")
        return out.getvalue()


def attention_of(run: RunFolder, cohort: Cohort, predictions: Sequence[Prediction]) -> dict[str, Any] | None:
    """Draw where the run's networks looked, into its ``figures/``, and say what is to be seen.

    Returns
    -------
    dict or None
        ``words`` and ``panels`` (file, alt, caption); None where the run has exported no network.

    Raises
    ------
    RunError
        If a network cannot be read, or a scan that is shown has changed.
    ScanError
        If a scan cannot be read.
    """
    from training.backbones.kept import read_backbone
    from training.data.slices import prepare_slices
    from training.fitting.checkpoints import BEST
    from training.imaging.fold import model_name, task_name

    if "final" not in run.record:
        return None
    backbone = str(run.record["final"]["backbone"])
    said = [row for row in predictions if row.model == model_name(backbone) and row.unit == "patient"]
    shown = chosen_rows(said)
    members = {row.patient for row in shown}
    few = replace(cohort, participants=tuple(one for one in cohort.participants if one.id in members))
    slices = prepare_slices(few, run.image_config.preparation)
    run.check_unchanged(slices.values(), members)
    make_folder(run.figures_path)
    panels = []
    for number, row in enumerate(shown, start=1):
        fold = fold_of(run.splits.folds, row)
        net = read_backbone(run.checkpoints_path(task_name(fold, backbone)) / BEST)[0]
        looked = look(net, slices[row.patient])
        file = run.figures_path / f"attention-{number}.png"
        replace_file(file, looked.png())
        words = _words(row, slices[row.patient], looked)
        panels.append(
            {"file": f"{run.figures_path.name}/{file.name}", "alt": f"Left: a slice. {words}", "caption": words}
        )
    return {"words": _about(run, backbone), "panels": panels}


def chosen_rows(said: Sequence[Prediction]) -> list[Prediction]:
    """Return what is said of the patients that are shown: the first by name of each outcome, in the first repeat."""
    first = [row for row in sorted(said, key=lambda row: row.patient) if row.repeat == 0]
    return [row for label in (True, False) for row in [one for one in first if one.label == label][:N_OF_EACH]]


def fold_of(folds: Sequence[Fold], row: Prediction) -> Fold:
    """Return the fold that tested a patient."""
    return next(fold for fold in folds if (fold.repeat, fold.fold) == (row.repeat, row.fold))


def look(net: Backbone, patient: PatientSlices) -> Looked:
    """Return the slice in which a network's attention is strongest, and where in it."""
    import torch

    from training.backbones.readout import readout_of
    from training.imaging.judging import AT_ONCE

    x = torch.from_numpy(np.array(patient.slices))
    with torch.no_grad():
        features = torch.cat([net.eval()(part)[1] for part in x.split(AT_ONCE)])
    found = cam(features.numpy(), readout_of(net))
    place = int(found.order[0])
    grey = np.asarray(patient.slices[place, 0], np.float64)
    low, high = float(grey.min()), float(grey.max())
    strongest = max(float(np.abs(found.signed).max()), float(np.finfo(np.float64).tiny))
    signed = upsample(found.signed[place : place + 1], len(grey))[0] / strongest
    return Looked(place, (grey - low) / (high - low if high > low else 1.0), signed)


def _words(row: Prediction, patient: PatientSlices, looked: Looked) -> str:
    outcome = "good" if row.label else "poor"
    return (
        f"Patient {row.patient}, {outcome} outcome, uncalibrated probability {row.p:.2f}: slice at "
        f"{patient.level_mm[looked.place]:+.0f} mm, number {looked.place + 1} of {len(patient)} that count; "
        f"{looked.towards:.0%} of its attention is towards the better outcome."
    )


def _about(run: RunFolder, backbone: str) -> str:
    """Return how to read the pictures, and how far maps of drawn weights are like them."""
    words = (
        f"Networks of {backbone} that had not seen the patient: the first {N_OF_EACH} patients of each outcome by "
        "name. Left the slice, right the same with attention over it."
    )
    sanity = _sanity(run)
    if sanity is None:
        return words
    return (
        f"{words} Maps of the same network with weights drawn anew correlate with its own by "
        f"{sanity['correlation']:.2f} ({sanity['n_slices']} slices): near 0 they show what was learned, near 1 the "
        "picture alone."
    )


def _sanity(run: RunFolder) -> Mapping[str, Any] | None:
    if not (run.bundle_path / MANIFEST).is_file():
        return None
    image = Bundle.load(run.bundle_path).model.image
    return None if image is None else vars(image.sanity)
