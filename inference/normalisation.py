"""Z-score: the last step before an engine, and the same function in training (law 1).

Per window and channel, with a float64 mean and the population's deviation. It erases level: an engine sees only change
inside the window, and a bundle's card says so.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Version of ``zscore``: whoever changes what it computes counts it up, and windows that were kept are made anew.
ALGORITHM = 1
#: Microvolts; a channel that varies less holds no signal that an amplifier can resolve, and becomes zeros.
FLAT_SD_UV = 1e-3
#: Share of good cells below which a channel says more about its electrode than about the patient; it becomes zeros.
MIN_CHANNEL_QUALITY = 0.5


def zscore(x_uv: NDArray[np.float32], channel_quality: ArrayLike) -> NDArray[np.float32]:
    """Return each channel of a window with mean 0 and deviation 1, or zeros where it is flat or bad.

    Parameters
    ----------
    x_uv : ndarray, shape (n_samples, n_channels) or (batch, n_samples, n_channels), float32
        Conditioned windows in microvolts; left as they are.
    channel_quality : array_like, shape (n_channels,) or (batch, n_channels)
        Share of good cells per channel, 0 to 1.

    Returns
    -------
    ndarray, shape of ``x_uv``, float32
        C order. The bits of a channel depend on that channel alone, never on its neighbours or the batch.

    Raises
    ------
    ValueError
        If there is not one quality per channel.
    """
    quality = np.asarray(channel_quality, np.float64)
    if quality.shape != x_uv.shape[:-2] + x_uv.shape[-1:]:
        raise ValueError(f"channel qualities of shape {quality.shape} for windows of shape {x_uv.shape}")
    # One contiguous row per channel: numpy sums it pairwise, in an order that does not depend on the other rows.
    rows = np.ascontiguousarray(np.swapaxes(x_uv, -1, -2), dtype=np.float64)
    rows -= rows.mean(axis=-1, keepdims=True)
    sd = np.sqrt(np.mean(rows * rows, axis=-1))
    used = (sd >= FLAT_SD_UV) & (quality >= MIN_CHANNEL_QUALITY)
    # An unused channel is divided by 1 before it is emptied, so that 0/0 never occurs.
    rows /= np.where(used, sd, 1.0)[..., np.newaxis]
    rows[~used] = 0.0
    return np.ascontiguousarray(np.swapaxes(rows, -1, -2), dtype=np.float32)
