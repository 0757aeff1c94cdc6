"""Exact: a network's outputs in float64, from z-scored windows on: the gate probes them, the graph is held to them."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.tokens import log_powers
from training.models.networks import BandLstm, BankLstm, StackedLstm

#: Windows that are run at once: 10,000 steps of a wide layer take 40 MB each in float64.
TOGETHER = 8


class Exact:
    """A float64 copy of a network; the network itself is left as it is.

    Parameters
    ----------
    net : StackedLstm
        Trained; a network on tokens was trained on those of the standard bank.
    """

    def __init__(self, net: StackedLstm) -> None:
        self._net = copy.deepcopy(net).double().cpu().eval()
        self._reads_tokens = isinstance(net, BandLstm) and not isinstance(net, BankLstm)

    def outputs(self, x: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
        """Return ``logit``, ``embedding`` and, where there is that head, ``fma`` of windows.

        Parameters
        ----------
        x : ndarray, shape (batch, n_samples, n_channels)
            Z-scored; float64 is not rounded on its way.
        """
        parts = [self._part(x[i : i + TOGETHER]) for i in range(0, len(x), TOGETHER)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _part(self, x: NDArray[np.floating]) -> dict[str, NDArray[np.float64]]:
        given = log_powers(x) if self._reads_tokens else np.asarray(x, np.float64)
        with torch.no_grad():
            logit, embedding = self._net(torch.from_numpy(given))
            found = {"logit": logit, "embedding": embedding}
            if self._net.fma is not None:
                found["fma"] = self._net.fma(embedding)
        return {name: value.numpy() for name, value in found.items()}
