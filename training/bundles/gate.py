"""The sensitivity gate: a network whose logit moves when nothing did may not leave.

A recurrent network can be chaotic: noise of a millionth of a millionth of the signal, which no electrode and no float32
can hold, grows from step to step until the logit is another one. Two machines then disagree on every patient, and no
parity of engines means anything. So each network is asked first, in float64, where the question can be put at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.bundles.exact import Exact
from training.errors import GateError
from training.models.networks import StackedLstm

#: Deviation of the noise, in deviations of the signal: far above what float64 rounds away (1e-16), far below what
#: float32 can tell apart (1e-7).
NOISE = 1e-12
#: Largest movement of a logit per deviation of noise. Float32 tells z-scored samples apart to about 1e-6: what it
#: cannot tell apart then moves a logit by at most 1e-4, which is as far as two engines may differ.
LARGEST_GAIN = 100.0


@dataclass(frozen=True)
class Sensitivity:
    """How far noise moved a network's logit.

    Parameters
    ----------
    movement : float
        Largest, over the windows.
    noise : float
        Its deviation.
    n_windows : int
        How many windows were tried.
    """

    movement: float
    noise: float
    n_windows: int

    @property
    def gain(self) -> float:
        """Movement of the logit per deviation of noise."""
        return self.movement / self.noise


def sensitivity(net: StackedLstm, x: NDArray[np.floating], seed: int = 0, noise: float = NOISE) -> Sensitivity:
    """Return how far noise moves the logit of windows, in float64.

    Parameters
    ----------
    net : StackedLstm
        Trained; left as it is.
    x : ndarray, shape (n_windows, n_samples, n_channels)
        Z-scored windows, at least one.
    seed, noise : int, float
        Of the noise: its draw, and its deviation in deviations of the signal.
    """
    exact = Exact(net)
    clean = np.asarray(x, np.float64)
    noisy = clean + noise * np.random.default_rng(seed).standard_normal(clean.shape)
    movements = np.abs(exact.outputs(noisy)["logit"] - exact.outputs(clean)["logit"])
    return Sensitivity(float(movements.max()), noise, len(clean))


def pass_gate(net: StackedLstm, x: NDArray[np.floating], name: str) -> Sensitivity:
    """Return a network's sensitivity, if it may leave.

    Parameters
    ----------
    net, x
        As in `sensitivity`.
    name : str
        Of the network, for the refusal.

    Raises
    ------
    GateError
        If its logit moves too far, or is not finite.
    """
    found = sensitivity(net, x)
    if not found.gain <= LARGEST_GAIN:
        raise GateError(
            f"The logit of {name} moves by {found.movement:.1e} when its windows move by {found.noise:.0e}: "
            f"{found.gain:.1e} times as much, {LARGEST_GAIN:g} times is allowed.",
            subject=name,
            remedy="Train it anew with more weight decay, a smaller learning rate or fewer epochs; "
            "a network like this answers differently on every machine.",
        )
    return found
