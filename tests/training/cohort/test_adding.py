"""Adding a session: copied whole or not at all, and never against what is known (laws 9 and 10)."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from acquisition.errors import DiskFull
from acquisition.montage import load_montage
from tests.training.cohort.wards import files_of, plain, session_of, write_cohort
from training.audit.audit import check
from training.cohort import adding
from training.cohort.adding import add_session
from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.participants import Participant, read_participants, write_participants

GOOD = {"fma_3mo": 25.0}


@pytest.fixture
def data(tmp_path):
    """Return a ward's data folder."""
    return tmp_path / "data"


@pytest.fixture
def folder(tmp_path):
    """Return where a cohort is to be."""
    return tmp_path / "cohort"


def rows(folder):
    """Return the table's rows by patient."""
    return {one.id: one for one in read_participants(folder / "participants.tsv")}


def test_a_session_begins_a_cohort(data, folder):
    """Its folder is copied byte for byte, the cohort is clinical, and the audit can open what was copied."""
    session = session_of(data, age=63.0, days_since_onset=20.0, lesion_side="left")
    before = files_of(session.path)
    added = add_session(session, folder, GOOD | {"site": "A"})
    assert files_of(session.path) == before == files_of(added.path)
    assert added.path == folder / "sub-P-017" / "sessions" / session.info.session and added.made
    assert added.participant == Participant(
        "P-017", True, fma_3mo=25.0, site="A", age=63.0, days_since_onset=20.0, lesion_side="left"
    )
    cohort = Cohort.open(folder)
    assert (cohort.name, cohort.origin, cohort.montage) == ("cohort", "clinical", "amp16")
    assert [place.is_session for place in cohort.places("P-017")] == [True]
    assert check(folder).rows[0].seconds == 16.0


def test_a_simulated_session_begins_a_synthetic_cohort(data, folder):
    """Whatever is learned from it is stamped (law 9)."""
    add_session(session_of(data, origin="simulated", mode="demo"), folder, GOOD)
    assert json.loads((folder / "dataset_description.json").read_text())["Flexion"]["origin"] == "synthetic"


def test_a_cohort_grows(data, folder):
    """A row for each new patient, a field more for one who is there, other columns as they were."""
    write_cohort(folder, [replace(plain(1)[0], has_eeg=False, extra={"nihss": "7"}), Participant("P-9", False)])
    added = add_session(session_of(data, patient="00"), folder, {"fma_3mo": 5.0, "fma_baseline": 3.0})
    add_session(session_of(data, patient="new"), folder, {"fma_3mo": 1.0})
    assert not added.made
    assert list(rows(folder)) == ["00", "P-9", "new"]
    one = rows(folder)["00"]
    assert (one.has_eeg, one.fma_baseline, one.site, one.extra) == (True, 3.0, "A", {"nihss": "7"})


def test_a_second_session_changes_nothing_of_the_first(data, folder):
    """The table's age and days are the first recording's; a second session is older."""
    add_session(session_of(data, age=63.0, days_since_onset=20.0), folder, GOOD)
    later = session_of(data, age=64.0, days_since_onset=80.0)
    add_session(later, folder, GOOD)
    assert (rows(folder)["P-017"].age, rows(folder)["P-017"].days_since_onset) == (63.0, 20.0)
    assert Cohort.open(folder).places("P-017")[1].path.name == later.info.session


def test_adding_twice_is_adding_once(data, folder):
    """The same session again changes no byte, and completes what a crash between copy and table left out."""
    session = session_of(data)
    add_session(session, folder, GOOD)
    before = files_of(folder)
    add_session(session, folder, GOOD)
    assert files_of(folder) == before
    write_participants(folder / "participants.tsv", [])
    add_session(session, folder, GOOD)
    assert files_of(folder) == before


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entered_in_error": True}, r"was entered in error: it is somebody else's\. Add the session"),
        ({"ledger": {}}, r"has not ended\."),
        ({"ledger": {"ended": True, "ledger": {"balanced": False}}}, r"its ledger does not balance"),
        ({"ledger": {"ended": True, "ledger": {"balanced": True}, "complete": False}}, r"does not balance"),
        ({"rounds": 3, "repeats": True}, r"plays a recording more than once\. Add the session or file"),
        ({"montage": replace(load_montage("amp16"), name="own").to_json()}, r"montage own, which is not built in\."),
        (
            {"montage": replace(load_montage("amp16"), rate_hz=500.0).to_json()},
            r"has montage amp16, which is not built in",
        ),
    ],
)
def test_a_session_that_nobody_should_learn_from_is_refused(data, folder, changes, words):
    """And nothing is made of it."""
    session = session_of(data, **changes)
    with pytest.raises(CohortError, match=words):
        add_session(session, folder, GOOD)
    assert not folder.exists()


def test_a_session_without_a_recording_is_refused(data, folder):
    """Nothing was recorded of it."""
    session = session_of(data)
    session.part_path(1).unlink()
    with pytest.raises(CohortError, match=r"has no recording"):
        add_session(session, folder, GOOD)


@pytest.mark.parametrize(
    ("session", "values", "words"),
    [
        ({"patient": "00"}, {"fma_3mo": 20.0}, r"Patient 00 has fma_le_3mo 5; now it is 20\. Find out which holds"),
        ({"patient": "00"}, {"fma_3mo": 5.0, "site": "B"}, r"Patient 00 has site 'A'; now it is 'B'\."),
        ({"patient": "00", "age": 70.0}, {"fma_3mo": 5.0}, r"Patient 00 has age 60; session \w+ says 70\."),
        ({"lesion_side": "left"}, GOOD | {"lesion_side": "right"}, r"has lesion_side 'right'; session \w+ says 'left'"),
        ({"patient": "X"}, GOOD, r"Patient X is x in .*participants\.tsv; names differ by more than case\."),
        ({"origin": "simulated"}, GOOD, r"is of a simulated patient; cohort .* is clinical\. Name another"),
        ({"montage": load_montage("eeg16").to_json()}, GOOD, r"has montage eeg16 at 1000 Hz; cohort .* has amp16"),
        ({}, {"fma_3mo": 35.0}, r"fma_le_3mo is 35; the lower limb's score goes from 0 to 34"),
        ({}, GOOD | {"fma_baseline": -1.0}, r"fma_le_baseline is -1;"),
        ({}, GOOD | {"age": float("inf")}, r"age is inf, which is no number\. Leave it out"),
    ],
)
def test_what_contradicts_the_cohort_is_refused(data, folder, session, values, words):
    """In words, and no byte of the cohort changes."""
    write_cohort(folder, [replace(plain(1)[0], has_eeg=False), Participant("x", False)])
    before = files_of(folder)
    with pytest.raises(CohortError, match=words):
        add_session(session_of(data, **session), folder, values)
    assert {name: content for name, content in files_of(folder).items() if name != adding.LOCK} == before


def test_a_patient_s_session_is_refused_among_simulated_ones(data, folder):
    """A cohort is of one origin (law 9)."""
    write_cohort(folder, plain(1)[:1], origin="synthetic")
    with pytest.raises(CohortError, match=r"is of a patient; cohort .* is synthetic\."):
        add_session(session_of(data), folder, GOOD)


def test_a_folder_of_something_else_is_refused(data, folder):
    """Nothing is put among other people's files."""
    folder.mkdir()
    (folder / "thesis.odt").touch()
    with pytest.raises(CohortError, match=r"is no cohort: it has no participants\.tsv, and it holds thesis\.odt\."):
        add_session(session_of(data), folder, GOOD)
    with pytest.raises(CohortError, match=r"thesis\.odt is no cohort"):
        add_session(session_of(data), folder / "thesis.odt", GOOD)


def test_a_cohort_may_be_begun_by_hand(data, folder):
    """A description alone says of which montage the cohort is to be."""
    folder.mkdir()
    (folder / "own.toml").write_text(
        'name = "own"\nrate_hz = 1000\nchannels = [\n'
        + "".join(f'{{label = "{one.label}", kind = "{one.kind}"}},\n' for one in load_montage("amp16").channels)
        + "]\n"
    )
    (folder / "dataset_description.json").write_text('{"Name": "Ward 3", "Flexion": {"montage": "own.toml"}}')
    session = session_of(data, montage=replace(load_montage("amp16"), name="own").to_json())
    add_session(session, folder, GOOD)
    assert Cohort.open(folder).montage == str(folder / "own.toml")


def test_another_session_of_that_name_is_not_overwritten(data, folder):
    """Two folders of one id that differ: somebody must look."""
    session = session_of(data)
    path = add_session(session, folder, GOOD).path
    (path / "notes.jsonl").write_text("{}\n")
    with pytest.raises(CohortError, match=r"is there already, and is not the same\."):
        add_session(session, folder, GOOD)
    assert (path / "notes.jsonl").exists()


def test_a_full_disk_leaves_the_cohort_as_it_was(data, folder, monkeypatch):
    """Neither half a copy nor a row without one; the session is where it was."""
    add_session(session_of(data, patient="first"), folder, GOOD)
    before, session = files_of(folder), session_of(data)

    def full(source, target):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(adding.shutil, "copyfile", full)
        with pytest.raises(DiskFull, match=r"cannot be written: No space left on device\. Free space"):
            add_session(session, folder, GOOD)
    assert files_of(folder) == before
    with monkeypatch.context() as patch:
        patch.setattr(adding, "write_participants", lambda *_: (_ for _ in ()).throw(DiskFull("full")))
        with pytest.raises(DiskFull):
            add_session(session, folder, GOOD)
    assert files_of(folder) == before
    add_session(session, folder, GOOD)
    assert set(rows(folder)) == {"first", "P-017"}


def test_a_session_that_changes_while_it_is_copied_is_refused(data, folder, monkeypatch):
    """Whoever writes into it has not ended."""
    session, copyfile = session_of(data), adding.shutil.copyfile

    def late(source, target):
        copyfile(source, target)
        (session.path / "notes.jsonl").write_text("{}\n")

    monkeypatch.setattr(adding.shutil, "copyfile", late)
    with pytest.raises(CohortError, match=r"changed while it was copied\. Wait until nothing writes"):
        add_session(session, folder, GOOD)


def test_what_a_killed_copy_left_is_not_in_the_way(data, folder):
    """Half a copy has a name that nobody reads, and is made anew."""
    session = session_of(data)
    left = folder / "sub-P-017" / "sessions" / f"{adding.UNFINISHED}{session.info.session}"
    left.mkdir(parents=True)
    (left / "session.json").write_text("half")
    (folder / "dataset_description.json").write_text("{}")
    add_session(session, folder, GOOD)
    assert os.listdir(left.parent) == [session.info.session]


def test_two_at_once_lose_no_row(data, folder):
    """Whoever comes second waits for the table."""
    sessions = [session_of(data, patient=f"P{n}") for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda session: add_session(session, folder, GOOD), sessions))
    assert set(rows(folder)) == {f"P{n}" for n in range(6)}


def test_the_room_kept_for_a_session_s_end_is_not_copied(data, folder):
    """It is nobody's data."""
    session = session_of(data)
    session.reserve()
    assert "reserve" not in files_of(add_session(session, folder, GOOD).path)
