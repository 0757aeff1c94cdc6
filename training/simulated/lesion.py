"""What recovery does to a simulated brain: the lesion, how far it lies from the corticospinal tract, the coupled nodes.

Like the traits of EEG and EMG, each grows or falls steadily with recovery for one patient, and with effect 0 none does.
Positions are millimetres from the centre of the head: right, front, up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acquisition.simulator import Patient

Array = NDArray[np.float64]

#: Keys of a scan's random numbers among a patient's, beside the simulator's own and the clock's.
TRAITS, PLACE, ANATOMY, SERIES, VOLUMES = range(200, 205)
#: At the worst recovery, at the best: radius, distance from the tract to the lesion's centre, correlation of the nodes.
RADIUS_MM, DISTANCE_MM, COUPLING = (17.0, 6.0), (3.0, 26.0), (0.05, 0.85)
#: The right corticospinal tract from the leg's cortex to the pons; the left one is its mirror image.
TRACT_MM = np.array([(8, -22, 50), (20, -20, 34), (25, -17, 18), (22, -13, 5), (13, -19, -16), (6, -24, -38)], float)
#: Heights in mm between which lesions lie: corona radiata and internal capsule.
LEVEL_MM = (4.0, 20.0)
#: Directions from the tract to the lesion: degrees off straight outwards, to the front or the back.
SPREAD_DEG = 50.0
#: Centre of the right motor node; the left one is its mirror image.
NODE_MM = np.array((26.0, -20.0, 42.0))


@dataclass(frozen=True)
class BoldTraits:
    """What recovery does to one patient's scan.

    Parameters
    ----------
    radius_mm : float
        Of the lesion.
    distance_mm : float
        From the corticospinal tract to the lesion's centre, on the lesion's level.
    coupling : float
        Correlation of the resting fluctuations of the two motor nodes.
    """

    radius_mm: float
    distance_mm: float
    coupling: float

    @classmethod
    def of(cls, patient: Patient) -> BoldTraits:
        """Return the traits of a patient."""
        own = 0.4 * np.random.default_rng((patient.seed, TRAITS)).standard_normal(3)
        share = 1.0 / (1.0 + np.exp(-patient.effect * patient.recovery - own))
        ranges = (RADIUS_MM, DISTANCE_MM, COUPLING)
        return cls(*(float(low + s * (high - low)) for s, (low, high) in zip(share, ranges, strict=True)))


@dataclass(frozen=True)
class Lesion:
    """An ellipsoid of dead tissue.

    Parameters
    ----------
    centre_mm, axes_mm : ndarray, shape (3,)
        Centre and semi-axes.
    """

    centre_mm: Array
    axes_mm: Array

    @classmethod
    def of(cls, patient: Patient) -> Lesion:
        """Place a patient's lesion; its level, direction and shape are his own, whatever his recovery."""
        traits = BoldTraits.of(patient)
        rng = np.random.default_rng((patient.seed, PLACE))
        level_mm, angle = rng.uniform(*LEVEL_MM), np.deg2rad(rng.uniform(-SPREAD_DEG, SPREAD_DEG))
        outwards = np.array([np.cos(angle), np.sin(angle), 0.0])
        shape = np.exp(0.15 * rng.standard_normal(3))
        centre_mm = on_tract(level_mm) + traits.distance_mm * outwards
        axes_mm = traits.radius_mm * shape / np.prod(shape) ** (1 / 3)
        return cls(mirrored(centre_mm, patient.lesion_side), axes_mm)

    def depth_mm(self, at_mm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how deep points lie in it, about, in mm; below 0 outside.

        Parameters
        ----------
        at_mm : ndarray, shape (3, ...)
        """
        scaled = [(at_mm[k] - self.centre_mm[k]) / self.axes_mm[k] for k in range(3)]
        radius = np.sqrt(sum(part**2 for part in scaled))
        return np.asarray((1.0 - radius) * float(self.axes_mm.mean()), np.float32)


def on_tract(level_mm: float) -> Array:
    """Return where the right tract passes a height, shape (3,)."""
    downwards = TRACT_MM[::-1]
    return np.array([np.interp(level_mm, downwards[:, 2], downwards[:, axis]) for axis in range(3)])


def mirrored(at_mm: Array, side: Literal["left", "right"]) -> Array:
    """Return a point of the right hemisphere, or its mirror image in the left one."""
    return at_mm * np.array([1.0 if side == "right" else -1.0, 1.0, 1.0])
