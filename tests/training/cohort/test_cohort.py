"""A cohort as one value: what it says of itself, whose it is, and what a split depends on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.participants import Participant, write_participants


def people(good, poor, without=0):
    """Return patients of both outcomes, some of the poor ones without EEG."""
    ones = [Participant(f"g{n}", True, fma_3mo=30.0) for n in range(good)]
    others = [Participant(f"p{n}", n >= without, fma_3mo=5.0) for n in range(poor)]
    return tuple(ones + others)


@pytest.fixture
def folder(tmp_path):
    """Return a cohort's folder with two patients."""
    write_participants(tmp_path / "participants.tsv", people(1, 1))
    return tmp_path


def describe(folder, **own):
    """Write what a cohort says of itself."""
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "Ward 3", "Flexion": own}))


def test_a_cohort_without_a_description_is_clinical(folder):
    """It is named after its folder and has the default montage."""
    cohort = Cohort.open(folder)
    assert (cohort.name, cohort.origin, cohort.montage) == (folder.name, "clinical", "amp16")
    assert [participant.id for participant in cohort.participants] == ["g0", "p0"]


def test_the_description_is_read(folder):
    """Name, origin, montage and what simulated patients were made with."""
    describe(folder, origin="synthetic", montage="eeg16", effect=2, seed=1)
    cohort = Cohort.open(folder)
    assert (cohort.name, cohort.origin, cohort.montage) == ("Ward 3", "synthetic", "eeg16")
    assert cohort.described["effect"] == 2
    describe(folder, montage="own.toml")
    (folder / "own.toml").touch()
    assert Cohort.open(folder).montage == str(folder / "own.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", r"dataset_description\.json cannot be read: .* Mend that file"),
        ("[]", r"dataset_description\.json holds no object"),
        ('{"Flexion": 1}', r"dataset_description\.json holds no object"),
        ('{"Flexion": {"origin": "dreamt"}}', r"names the origin 'dreamt'; expected synthetic or clinical"),
    ],
)
def test_a_broken_description_is_refused(folder, text, words):
    """The file is named, with what is wrong in it."""
    (folder / "dataset_description.json").write_text(text)
    with pytest.raises(CohortError, match=words):
        Cohort.open(folder)


def test_a_patient_is_found_by_name(folder):
    """And its first recording, whose mains is the patient's where nothing else says it."""
    write_participants(folder / "participants.tsv", [Participant("a", True, mains_hz=60.0), Participant("b", False)])
    eeg = folder / "sub-a" / "eeg"
    eeg.mkdir(parents=True)
    (eeg / "sub-a_run-1_eeg.xdf").touch()
    (eeg / "sub-a_run-2_eeg.xdf").touch()
    (eeg / "sub-a_run-2_eeg.json").write_text('{"PowerLineFrequency": 50}')
    cohort = Cohort.open(folder)
    assert cohort.participant("a").mains_hz == 60.0
    assert [place.mains_hz for place in cohort.places("a")] == [60.0, 50.0]
    assert cohort.place_of("a") == cohort.places("a")[0]
    assert cohort.place_of("b") is None and cohort.scans("b") == ()
    with pytest.raises(CohortError, match=r"has no patient c\. Its patients are in .*participants\.tsv"):
        cohort.place_of("c")


def test_the_hash_is_of_what_a_split_depends_on(folder):
    """Order and other columns change nothing; an outcome, a name and whether there is EEG do."""
    cohort = Cohort.open(folder)
    one, two = cohort.participants

    def sha256(*participants):
        return replace(cohort, participants=participants).sha256

    assert sha256(replace(two, age=70.0), replace(one, fma_3mo=29.0)) == cohort.sha256
    changed = [replace(one, fma_3mo=5.0), replace(one, id="x"), replace(one, has_eeg=False), replace(one, fma_3mo=None)]
    assert len({cohort.sha256, *(sha256(other, two) for other in changed)}) == 5


@given(good=st.integers(1, 30), poor=st.integers(1, 30), without=st.integers(0, 30), n=st.integers(2, 70))
def test_fewer_patients_keep_both_outcomes(folder_of_none, good, poor, without, n):
    """So many as were asked for, both outcomes among them, each stratum within a patient or two of its share."""
    cohort = replace(folder_of_none, participants=people(good, poor, without))
    limited = cohort.limited(n)
    kept = limited.participants
    assert len(kept) == min(n, good + poor)
    assert {participant.good for participant in kept} == {True, False}
    assert abs(sum(bool(one.good) for one in kept) - len(kept) * good / (good + poor)) <= 2
    assert list(kept) == [participant for participant in cohort.participants if participant in kept]


@pytest.fixture(scope="session")
def folder_of_none(tmp_path_factory):
    """Return a cohort without patients."""
    return Cohort(tmp_path_factory.mktemp("cohort"), "none", "clinical", "amp16", ())


def test_patients_without_an_outcome_are_not_counted(folder_of_none):
    """They are of no use to a trial run."""
    cohort = replace(folder_of_none, participants=(Participant("x", True), *people(2, 2)))
    assert [participant.id for participant in cohort.limited(2).participants] == ["g0", "p0"]
    assert folder_of_none.limited(5).participants == ()
    with pytest.raises(CohortError, match=r"1 patients has not both outcomes\. Ask for 2"):
        cohort.limited(1)
