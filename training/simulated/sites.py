"""Hospitals of a simulated cohort: mains, gains and noise of their equipment, none of which knows of the outcome.

A model that scores by the site has learned a shortcut; a cohort of several sites shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acquisition.simulator import Patient

#: Mains frequencies in Hz, in turn: one site of two is on the other grid.
MAINS_HZ = (50.0, 60.0)
#: Key of the sites' own random numbers, beside those of a cohort's patients.
SITES = 1 << 32


@dataclass(frozen=True)
class Site:
    """The equipment of one hospital.

    Parameters
    ----------
    name : str
        A letter.
    mains_hz : float
        50 or 60.
    eeg_gain, emg_gain, noise, mains : float
        By what its amplifier and ward multiply what the patient alone would have; about 1.
    scanner_gain, scanner_noise : float
        Likewise of its MR scanner.
    """

    name: str
    mains_hz: float
    eeg_gain: float
    emg_gain: float
    noise: float
    mains: float
    scanner_gain: float
    scanner_noise: float

    def at(self, patient: Patient) -> Patient:
        """Return the patient as this hospital records him; his recovery and his outcome are his own."""
        return replace(
            patient,
            mains_hz=self.mains_hz,
            eeg_gain=patient.eeg_gain * self.eeg_gain,
            emg_gain=patient.emg_gain * self.emg_gain,
            noise_uv=patient.noise_uv * self.noise,
            mains_uv=patient.mains_uv * self.mains,
        )


def sites_of(seed: int, n_sites: int) -> tuple[Site, ...]:
    """Return the hospitals of a cohort; those of fewer are the first of those of more.

    Examples
    --------
    >>> [(site.name, site.mains_hz) for site in sites_of(1, 3)]
    [('A', 50.0), ('B', 60.0), ('C', 50.0)]
    """
    return tuple(_site(seed, number) for number in range(n_sites))


def _site(seed: int, number: int) -> Site:
    rng = np.random.default_rng((seed, SITES, number))
    factors = np.exp(rng.normal(0.0, (0.15, 0.25, 0.3, 0.4, 0.15, 0.15)))
    return Site(chr(ord("A") + number), MAINS_HZ[number % len(MAINS_HZ)], *map(float, factors))
