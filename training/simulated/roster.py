"""The patients of a simulated cohort: who they are, what is known of them at the bed, and how they fare.

A pure function of the seed: neither the effect nor the number of windows changes a number here. What is measured at
the bed follows recovery loosely, as in life; age, time since onset, side, territory, comorbidity and site do not know
of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.simulator import Patient
from training.cohort.participants import FOLLOW_UP_DAYS, WITHIN_DAYS, Participant
from training.simulated.sites import SITES, Site, sites_of
from training.simulated.spec import SynthSpec

#: Keys of a cohort's random numbers: of each patient his seed, site and table; of all who has EEG.
WHO, WHERE, TABLE, MISSING = SITES + 1, SITES + 2, SITES + 3, SITES + 4
#: Correlation of recovery with what is measured at the bed: baseline score, strength, balance.
BEDSIDE_R = 0.6
#: Spread of the day of the follow-up around three months.
FOLLOW_UP_SPREAD_DAYS = 2.5
#: Thresholds of the trunk control test's sitting item in recovery's units, and its points.
SITTING_ABOVE, SITTING_POINTS = (-1.0, -0.2), (0.0, 12.0, 25.0)
#: Whom the paper includes: age, strength of the leg, and days after the stroke at least.
AGE_YEARS, STRENGTH_GRADE, ONSET_DAYS = (40, 79), (3, 5), 14
TERRITORIES, TERRITORY_SHARE = ("MCA", "ACA", "lacunar"), (0.6, 0.15, 0.25)
COMORBIDITIES, COMORBIDITY_SHARE = ("none", "hypertension", "diabetes", "atrial-fibrillation"), (0.3, 0.4, 0.2, 0.1)


@dataclass(frozen=True)
class Member:
    """One patient of a simulated cohort.

    Parameters
    ----------
    patient : Patient
        As the site records him.
    site : Site
        Where.
    participant : Participant
        His row of the table of patients.
    """

    patient: Patient
    site: Site
    participant: Participant

    @property
    def id(self) -> str:
        """Three digits."""
        return self.participant.id


def roster_of(spec: SynthSpec) -> tuple[Member, ...]:
    """Return the patients of a cohort, in the order of their numbers.

    Parameters
    ----------
    spec : SynthSpec
        Its effect changes nothing but the patients' own `effect`.
    """
    sites = sites_of(spec.seed, spec.sites)
    drawn = [Patient.draw(_seed_of(spec.seed, n), effect=float(spec.effect)) for n in range(spec.patients)]
    with_eeg = _with_eeg(spec, np.array([patient.recovery for patient in drawn]))
    return tuple(_member(spec.seed, n, patient, sites, bool(with_eeg[n])) for n, patient in enumerate(drawn))


def _member(seed: int, number: int, patient: Patient, sites: tuple[Site, ...], has_eeg: bool) -> Member:
    site = sites[int(np.random.default_rng((seed, WHERE, number)).integers(len(sites)))]
    rng = np.random.default_rng((seed, TABLE, number))
    return Member(site.at(patient), site, _participant(f"{number + 1:03d}", patient, site, has_eeg, rng))


def _seed_of(seed: int, number: int) -> int:
    """Return a patient's own seed."""
    return int(np.random.default_rng((seed, WHO, number)).integers(2**62))


def _with_eeg(spec: SynthSpec, recovery: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell who has EEG: everybody equally likely, or with ``severity`` the better the likelier."""
    chance = np.random.default_rng((spec.seed, MISSING)).standard_normal(spec.patients)
    order = np.argsort(-(chance + (recovery if spec.missing == "severity" else 0.0)), kind="stable")
    has = np.zeros(spec.patients, bool)
    has[order[: spec.with_eeg]] = True
    return has


def _participant(id: str, patient: Patient, site: Site, has_eeg: bool, rng: np.random.Generator) -> Participant:
    own = rng.standard_normal(4)
    baseline, grade, leg, sitting = BEDSIDE_R * patient.recovery + math.sqrt(1 - BEDSIDE_R**2) * own
    visit = rng.normal(FOLLOW_UP_DAYS, FOLLOW_UP_SPREAD_DAYS)
    return Participant(
        id,
        has_eeg,
        # A whole number, above the cut exactly where the patient's own score is.
        fma_3mo=float(math.ceil(patient.fma)),
        fma_baseline=_clipped(12 + 5 * baseline, 0, 34),
        followup_days=_clipped(visit, FOLLOW_UP_DAYS - WITHIN_DAYS, FOLLOW_UP_DAYS + WITHIN_DAYS),
        days_since_onset=float(ONSET_DAYS) + round(60 * rng.beta(1.3, 3.0)),
        lesion_side=patient.lesion_side,
        infarct_territory=str(rng.choice(TERRITORIES, p=TERRITORY_SHARE)),
        comorbidity=str(rng.choice(COMORBIDITIES, p=COMORBIDITY_SHARE)),
        site=site.name,
        age=_clipped(rng.normal(63, 11), *AGE_YEARS),
        sex="M" if rng.random() < 0.6 else "F",
        strength_grade=_clipped(3.9 + 0.9 * grade, *STRENGTH_GRADE),
        sitting_balance=SITTING_POINTS[int(np.searchsorted(SITTING_ABOVE, sitting))],
        leg_strength=_clipped(48 + 22 * leg, 0, 100),
        mains_hz=site.mains_hz,
    )


def _clipped(value: float, low: float, high: float) -> float:
    """Return a whole number within bounds."""
    return float(round(min(high, max(low, value))))
