"""Judging: what a network says of windows, and what that is worth over patients (law 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from training.data.windows import PatientWindows
from training.models.networks import BandLstm, BankLstm, StackedLstm

#: Windows of tokens that are run at once: a patient's nine minutes; more are no faster, they leave the cache.
TOKENS_AT_ONCE = 64
#: Windows of samples that are run at once.
SAMPLES_AT_ONCE = 8

Floats = NDArray[np.float64]


class WindowScores(NamedTuple):
    """What a network says of a patient's windows.

    Attributes
    ----------
    logits : ndarray, shape (n,), float64
    embeddings : ndarray, shape (n, 32), float64
    beside : dict of str to ndarray
        ``fma`` (n,) in points and ``ordinal`` (n, 3) in log-odds, where the network has those heads.
    """

    logits: Floats
    embeddings: Floats
    beside: dict[str, Floats]


def window_scores(net: StackedLstm, patient: PatientWindows) -> WindowScores:
    """Return what a network says of every window of a patient.

    Raises
    ------
    ValueError
        If the network reads samples, and they were not prepared.
    """
    net.eval()
    samples = not isinstance(net, BandLstm) or isinstance(net, BankLstm)
    windows = patient.x if samples else patient.tokens
    if windows is None:
        raise ValueError(f"the windows of patient {patient.patient} were not prepared: prepare(cohort, raw=True)")
    at_once = SAMPLES_AT_ONCE if samples else TOKENS_AT_ONCE
    device = next(net.parameters()).device
    with torch.no_grad():
        parts = [
            _score(net, torch.from_numpy(np.array(windows[first : first + at_once])).to(device))
            for first in range(0, len(windows), at_once)
        ]
    columns = {name: torch.cat([part[name] for part in parts]).double().cpu().numpy() for name in parts[0]}
    return WindowScores(columns.pop("logit"), columns.pop("embedding"), columns)


def window_logits(net: StackedLstm, patient: PatientWindows) -> tuple[Floats, Floats]:
    """Return logits (n,) and embeddings (n, 32) of a patient's windows."""
    logits, embeddings, _ = window_scores(net, patient)
    return logits, embeddings


def patient_logits(net: StackedLstm, patients: Sequence[PatientWindows]) -> Floats:
    """Return the quality-weighted mean logit of each patient."""
    return np.array([np.average(window_logits(net, p)[0], weights=p.weights) for p in patients])


def patient_losses(logits: ArrayLike, good: ArrayLike) -> Floats:
    """Return the cross-entropy of each patient's logit."""
    z = np.asarray(logits, np.float64)
    with np.errstate(invalid="ignore"):  # what is no number stays none; the fit refuses it by name
        return np.asarray(np.logaddexp(0.0, z) - np.asarray(good, float) * z)


def _score(net: StackedLstm, x: Tensor) -> dict[str, Tensor]:
    logit, embedding = net(x)
    return {"logit": logit, "embedding": embedding, **net.beside(embedding)}
