"""The patients of a simulated cohort: the same for one seed, and no nuisance knows of the outcome."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from acquisition.simulator import Patient
from training.audit.inclusion import included
from training.simulated.roster import Member, roster_of
from training.simulated.sites import sites_of
from training.simulated.spec import SynthSpec

#: Enough patients for a correlation of 0.15 to show; nothing is rendered.
MANY = SynthSpec(patients=999, with_eeg=840, seed=11, sites=4)
#: Chance of a false alarm in each comparison; the seed is fixed, so it is one or it is none.
ALARM = 1e-3


@pytest.fixture(scope="module")
def members() -> tuple[Member, ...]:
    """Return many patients."""
    return roster_of(MANY)


def recoveries(members: tuple[Member, ...]) -> np.ndarray:
    """Return the recovery of each."""
    return np.array([member.patient.recovery for member in members])


def outcomes(members: tuple[Member, ...]) -> np.ndarray:
    """Return the score at three months of each."""
    return np.array([member.participant.fma_3mo for member in members])


@given(seed=st.integers(0, 2**40), effects=st.permutations([0, 1, 2]))
@settings(max_examples=10, deadline=None)
def test_the_table_of_patients_is_a_function_of_the_seed_whatever_the_effect(seed: int, effects: list[int]):
    """Cohorts of different effects can be compared patient by patient."""
    spec = SynthSpec(patients=4, with_eeg=3, seed=seed)
    one, other = (roster_of(replace(spec, effect=effect)) for effect in effects[:2])
    assert [m.participant for m in one] == [m.participant for m in other]
    assert [replace(m.patient, effect=0.0) for m in one] == [replace(m.patient, effect=0.0) for m in other]
    assert {m.patient.effect for m in one} == {float(effects[0])}


def test_a_larger_cohort_begins_with_the_smaller_one():
    """A patient is his number's."""
    small = roster_of(SynthSpec(patients=5, with_eeg=5, seed=2))
    large = roster_of(SynthSpec(patients=9, with_eeg=9, seed=2))
    assert large[:5] == small


@pytest.mark.parametrize(
    "nuisance", ["eeg_gain", "emg_gain", "noise_uv", "mains_uv", "mains_hz", "offset_uv", "blinks_per_min"]
)
def test_nuisances_of_a_patient_do_not_know_of_his_outcome(members: tuple[Member, ...], nuisance: str):
    """Neither of his recovery nor of his luck: no shortcut leads to the label."""
    found = np.array([getattr(member.patient, nuisance) for member in members])
    for hidden in (recoveries(members), outcomes(members), np.array([m.patient.luck for m in members])):
        assert stats.spearmanr(found, hidden).pvalue > ALARM


@pytest.mark.parametrize("column", ["site", "lesion_side", "infarct_territory", "comorbidity", "sex", "has_eeg"])
def test_words_of_the_table_do_not_know_of_the_outcome(members: tuple[Member, ...], column: str):
    """Each group has the same scores; with missing at random those without EEG too."""
    groups: dict[object, list[float]] = {}
    for member, fma in zip(members, outcomes(members), strict=True):
        groups.setdefault(getattr(member.participant, column), []).append(fma)
    assert len(groups) > 1
    assert stats.kruskal(*groups.values()).pvalue > ALARM


@pytest.mark.parametrize("column", ["age", "days_since_onset", "followup_days"])
def test_numbers_of_the_table_do_not_know_of_the_outcome(members: tuple[Member, ...], column: str):
    """Age and times are drawn apart from recovery."""
    found = [getattr(member.participant, column) for member in members]
    assert stats.spearmanr(found, outcomes(members)).pvalue > ALARM


@pytest.mark.parametrize("column", ["fma_baseline", "strength_grade", "sitting_balance", "leg_strength"])
def test_what_is_measured_at_the_bed_follows_recovery_loosely(members: tuple[Member, ...], column: str):
    """A clinical model has something to learn, and does not know everything."""
    found = [getattr(member.participant, column) for member in members]
    assert 0.4 < stats.spearmanr(found, recoveries(members)).statistic < 0.75


def test_the_outcome_in_the_table_is_the_patients_own(members: tuple[Member, ...]):
    """Rounding moves nobody over the cut, and everybody has a follow-up of three months."""
    assert all(member.participant.good is member.patient.good for member in members)
    assert 0.5 < np.mean([member.participant.good for member in members]) < 0.75
    assert all(83 <= (member.participant.followup_days or 0) <= 97 for member in members)


def test_everybody_would_have_been_included(members: tuple[Member, ...]):
    """A simulated cohort is one that the paper could have had."""
    assert all(included(member.participant) for member in members)


def test_who_has_no_eeg_is_chance_or_the_worse_the_likelier(members: tuple[Member, ...]):
    """Missingness that depends on severity can be tried."""
    worse = roster_of(replace(MANY, missing="severity"))
    for found in (members, worse):
        assert sum(member.participant.has_eeg for member in found) == MANY.with_eeg
    lacking = [member.patient.recovery for member in worse if not member.participant.has_eeg]
    assert np.mean(lacking) < -0.5
    assert [replace(m.participant, has_eeg=True) for m in worse] == [
        replace(m.participant, has_eeg=True) for m in members
    ]


def test_a_site_brings_its_equipment_and_leaves_the_patient_who_he_is():
    """Mains, gains and noise are the site's; recovery, luck and side are not."""
    patient, site = Patient.draw(5), sites_of(1, 2)[1]
    here = site.at(patient)
    assert (here.mains_hz, here.recovery, here.luck, here.paretic_side) == (
        60.0,
        patient.recovery,
        patient.luck,
        patient.paretic_side,
    )
    assert here.eeg_gain == patient.eeg_gain * site.eeg_gain
    assert sites_of(1, 5)[:2] == sites_of(1, 2)
