"""What an image network says of slices, and of the patient whose they are (law 9)."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.data.slices import PatientSlices
from training.statistics.weighting import session_logit

#: Slices that are run at once: a patient's have some 50 MB of features in the widest network.
AT_ONCE = 16

Floats = NDArray[np.float64]


def slice_logits(net: nn.Module, patient: PatientSlices) -> Floats:
    """Return the logit of each of a patient's slices, shape (n,)."""
    net.eval()
    device = next(net.parameters()).device
    with torch.no_grad():
        parts = [
            net(torch.from_numpy(np.array(patient.slices[first : first + AT_ONCE])).to(device))[0]
            for first in range(0, len(patient), AT_ONCE)
        ]
    return np.asarray(torch.cat(parts).double().cpu().numpy())


def patient_logit(logits: Floats, aggregation: str) -> float:
    """Return a patient's logit from those of the slices, as the bedside makes it.

    Parameters
    ----------
    logits : ndarray, shape (n,)
    aggregation : str
        ``logit_mean_quality``: their mean; ``prob_mean``: the log-odds of the mean probability (the paper).
    """
    return session_logit(logits, np.ones(len(logits)), aggregation)
