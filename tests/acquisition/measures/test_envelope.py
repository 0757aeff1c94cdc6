"""Envelopes: they rise where the muscle does, and do not see the limb move."""

from __future__ import annotations

import numpy as np

from acquisition.measures.envelope import envelope, rectified


def test_an_envelope_is_not_moved_in_time():
    """A burst that is symmetrical about a sample has its envelope's peak there."""
    t_s = np.arange(2_000) / 1000
    burst = np.sin(2 * np.pi * 80 * t_s) * np.exp(-(((t_s - 1.0) / 0.1) ** 2))
    assert abs(int(np.argmax(envelope(burst, 1000.0, 6.0))) - 1_000) <= 2


def test_the_limbs_movement_is_no_muscle():
    """A swing of 3 Hz is a thousand times weaker than it came; a tone of 80 Hz keeps its mean of 2 / pi."""
    t_s = np.arange(4_000) / 1000
    swing, muscle = np.sin(2 * np.pi * 3 * t_s), np.sin(2 * np.pi * 80 * t_s)
    inner = slice(500, -500)
    assert rectified(swing, 1000.0)[inner].max() < 1e-3
    assert np.isclose(rectified(muscle, 1000.0)[inner].mean(), 2 / np.pi, rtol=0.02)
