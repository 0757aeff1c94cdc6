"""Patients of random windows, as training takes them, without a recording behind them."""

from __future__ import annotations

import numpy as np

from training.data.windows import PatientWindows

#: Values of a made-up window: 20 steps of 2 channels with 4 bands, or 1,200 samples of 2 channels.
N_STEPS, N_CHANNELS, N_SAMPLES = 20, 2, 1200


def patient(seed: int, shift: float = 0.0, n: int = 3, *, raw: bool = False) -> PatientWindows:
    """Return a patient of random windows; a good outcome shifts one token, or one channel now and then."""
    rng = np.random.default_rng(seed)
    fma = float(np.round(rng.uniform(2, 32)))
    tokens = rng.standard_normal((n, N_STEPS, N_CHANNELS * 4)).astype(np.float32)
    tokens[:, :, 3] += shift * (fma > 17)
    x = rng.standard_normal((n, N_SAMPLES, N_CHANNELS)).astype(np.float32) if raw else None
    if x is not None:
        x[:, -200:, 1] += shift * (fma > 17)
    return PatientWindows(
        patient=f"{seed:04d}",
        good=fma > 17,
        fma=fma,
        weights=rng.uniform(0.5, 1.0, n),
        index=np.arange(n),
        n_made=n,
        n_uncalibrated=0,
        tokens=tokens,
        x=x,
        fingerprint="0123456789abcdef",
        mains_hz=50.0,
        recording_sha256=f"{seed:064d}",
        origin="synthetic",
    )


def patients(n: int, first_seed: int, shift: float = 0.0, *, raw: bool = False) -> list[PatientWindows]:
    """Return several; the first `n` seeds from `first_seed` on."""
    return [patient(seed, shift, raw=raw) for seed in range(first_seed, first_seed + n)]
