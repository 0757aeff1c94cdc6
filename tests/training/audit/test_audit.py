"""The audit: whatever is wrong with a cohort is found before an epoch is spent, with file and remedy (law 10)."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest

from acquisition.formats.text import write_table
from tests.training.cohort.wards import (
    MONTAGE,
    eeg_path,
    files_of,
    noise,
    plain,
    session_of,
    write_cohort,
    write_xdf,
)
from training.audit.audit import audit, check
from training.audit.table_check import class_findings
from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.participants import Participant, write_participants


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return a cohort in order: ten patients, five of each outcome."""
    return write_cohort(tmp_path_factory.mktemp("cohort") / "sound", plain())


@pytest.fixture
def folder(tmp_path):
    """Return a cohort of four patients: enough to look at files, too few for five folds."""
    return write_cohort(tmp_path / "cohort", plain(2))


def found(folder, level, check_):
    """Return what an audit found of one level and check, as (patient, file, sentence with remedy)."""
    findings = [one for one in check(folder).of(level) if one.check == check_]
    return [(one.patient, one.file, f"{one.what} {one.remedy}") for one in findings]


def only(folder, level, check_):
    """Return the sentence of the only finding of one level and check."""
    ((_, _, words),) = found(folder, level, check_)
    return words


def test_a_sound_cohort_has_nothing_but_short_recordings(sound):
    """Nothing is wrong that training would stumble over, and every number of the table is there."""
    done = check(sound)
    assert {(one.level, one.check) for one in done.findings} == {("warning", "length")}
    row = done.rows[1]
    assert (row.patient, row.good, row.included, row.n_recordings) == ("01", True, True, 1)
    assert (row.seconds, row.nan_share, row.lost_share, row.mains_hz, row.mains_measured_hz) == (16.0, 0, 0, 50, 50)
    assert row.eeg_uv == pytest.approx(10.9, abs=0.3) and row.emg_uv == pytest.approx(10.9, abs=0.5)
    done.require()


def test_the_audit_is_one_object(sound):
    """Its JSON holds no number that JSON does not know, and the same words."""
    done = check(sound)
    told = json.loads(json.dumps(done.to_json(), allow_nan=False))
    assert told["schema"] == "flexion.audit/1"
    assert told["cohort"]["counts"] == {"error": 0, "warning": 10, "note": 0}
    assert (told["cohort"]["good"], told["cohort"]["poor"], told["cohort"]["with_eeg"]) == (5, 5, 10)
    assert [row["patient"] for row in told["patients"]] == [f"{n:02}" for n in range(10)]
    assert set(told["findings"][0]) == {"level", "check", "patient", "file", "what", "remedy"}


def test_whoever_watches_hears_of_each_patient(folder):
    """How many there are, then each by name."""
    heard = []

    class Watcher:
        def begins(self, n_patients):
            heard.append(n_patients)

        def finished(self, patient):
            heard.append(patient)

    audit(Cohort.open(folder), Watcher())
    assert heard == [4, "00", "01", "02", "03"]


def test_a_cohort_with_an_error_is_refused(folder):
    """The refusal names patient, file and the command that lists all."""
    for patient in ("00", "01", "02", "03"):
        eeg_path(folder, patient).write_bytes(b"no XDF at all: " + patient.encode())
    with pytest.raises(CohortError, match=r"has 4 errors\. 00, sub-00/eeg/.*_eeg\.xdf: .* flexion cohort check"):
        check(folder).require()


def without(label):
    """Return the montage's labels with one misspelled."""
    return tuple("?" if one == label else one for one in MONTAGE.labels)


@pytest.mark.parametrize(
    ("write", "kind", "words"),
    [
        ({"labels": without("RF")}, "montage", r"Channel RF is missing.* \"Labels\" in sub-00_.*_eeg\.json"),
        ({"labels": ("C1", *MONTAGE.labels[1:])}, "montage", r"Channel C3 is missing"),
        (
            {"labels": (*MONTAGE.labels[:15], "C3")},
            "montage",
            r"Channel GMAX is missing, .* C3, C1, .*, C3\.",
        ),
        ({"units": "furlong"}, "unit", r"unit of channel C3 is 'furlong'.*_eeg\.json: \"Unit\": \"uV\""),
        ({"rate_hz": 500.0}, "rate", r"is at 500 Hz; montage amp16 needs 1000 Hz\. .*\"Resample\": true"),
    ],
)
def test_a_recording_that_does_not_fit_is_named(folder, write, kind, words):
    """A channel that is missing or there twice, an unknown unit, another rate: with the file and where to mend it."""
    write_xdf(eeg_path(folder, "00"), noise(0), **write)
    assert re.search(words, only(folder, "error", kind))


def test_a_channel_that_is_there_twice_is_named(folder):
    """Seventeen columns, two of one name: nobody chooses between them."""
    samples = np.hstack([noise(0), noise(1)[:, :1]])
    write_xdf(eeg_path(folder, "00"), samples, labels=(*MONTAGE.labels, "C3"))
    assert "Channel C3 of montage amp16 fits more than one of the stream's" in only(folder, "error", "montage")


def test_a_unit_that_nothing_states_is_asked_for(folder):
    """A table without a unit is refused until its sidecar says one."""
    eeg_path(folder, "00").unlink()
    path = eeg_path(folder, "00", ".csv")
    lines = [",".join(MONTAGE.labels), *(",".join(f"{value:.4f}" for value in row) for row in noise(0))]
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".json").write_text('{"SamplingFrequency": 1000}')
    assert 'Write the unit into sub-00_task-flexext_eeg.json: "Unit": "uV".' in only(folder, "error", "unit")
    path.with_suffix(".json").write_text('{"SamplingFrequency": 1000, "Unit": "uV"}')
    assert not found(folder, "error", "unit")


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1e-6, "1.08e-05 µV within a second; expected 0.2 to 2000 µV. It would fit if the numbers were V where"),
        (1e-3, "It would fit if the numbers were mV where they are read as µV."),
        (1e3, "It would fit if the numbers were µV where they are read as mV."),
        (1e6, "It would fit if the numbers were µV where they are read as V."),
    ],
)
def test_wrong_units_are_seen_by_their_size(folder, factor, words):
    """A file in V that is read as µV, and the other ways round: judged by the signal."""
    write_xdf(eeg_path(folder, "00"), (noise(0) * factor).astype(np.float32))
    findings = found(folder, "error", "unit")
    assert [patient for patient, *_ in findings] == ["00", "00"]  # EEG and EMG
    assert words in findings[0][2] and "_channels.tsv, or as Unit in its .json" in findings[0][2]


def test_a_flat_recording_has_no_size(folder):
    """Nothing but zeros is an error, and no unit is guessed."""
    write_xdf(eeg_path(folder, "00"), np.zeros((16_000, 16), np.float32))
    words = found(folder, "error", "unit")[0][2]
    assert "moves by 0 µV" in words and "would fit" not in words


def test_numbers_that_are_none_are_counted(folder):
    """A few are a warning with the worst channel, a fifth of all an error; a channel of none else is seen too."""
    samples = noise(0)
    samples[:, 3] = np.nan
    write_xdf(eeg_path(folder, "00"), samples)
    assert only(folder, "warning", "nan").startswith("6.2% of its samples are no number, 100.0% in C4.")
    samples[4000:9000] = np.nan
    write_xdf(eeg_path(folder, "00"), samples)
    assert "are no number" in only(folder, "error", "nan")
    write_xdf(eeg_path(folder, "00"), np.full((16_000, 16), np.nan, np.float32))
    assert "100.0% of its samples" in only(folder, "error", "nan")


def test_dead_channels_and_losses_are_told(folder):
    """A channel that measured nothing, and samples that never came."""
    samples = noise(0)
    samples[:, 1] = 5.0
    write_xdf(eeg_path(folder, "00"), samples, skip=8000)
    assert only(folder, "warning", "flat").startswith("Channels that measured nothing for most of the time: C1.")
    assert only(folder, "warning", "lost").startswith("50.0% of its samples were lost")


def test_a_recording_without_a_window_is_refused(folder):
    """Thirteen seconds leave none after settling."""
    write_xdf(eeg_path(folder, "00"), noise(0, 13))
    assert "It is 13.0 s long; 14 s make the first window." in only(folder, "error", "length")


@pytest.mark.parametrize("content", [b"", b"XDF:", b"XDF:garbage that is no chunk", bytes(4096)])
def test_a_recording_that_cannot_be_read_is_told_in_its_own_words(folder, content):
    """One finding for it, however it is broken."""
    eeg_path(folder, "00").write_bytes(content)
    (error,) = check(folder).errors
    assert (error.patient, error.file) == ("00", "sub-00/eeg/sub-00_task-flexext_eeg.xdf")
    assert error.remedy


def test_a_broken_sidecar_is_told(folder):
    """The sidecar is named, not the recording."""
    eeg_path(folder, "00", ".json").write_text("{")
    ((patient, file, words),) = found(folder, "error", "sidecar")
    assert (patient, file) == ("00", "sub-00/eeg/sub-00_task-flexext_eeg.json")
    assert "Mend that file." in words


def test_mains_that_is_not_as_stated_is_refused(folder):
    """A 60 Hz recording under a 50 Hz notch, stated or assumed."""
    write_xdf(eeg_path(folder, "00"), noise(0, mains_hz=60.0))
    words = only(folder, "error", "mains")
    assert words.startswith("Its mains line is at 60 Hz; 50 Hz is stated, and the notch would leave the line in.")
    assert '"PowerLineFrequency": 60' in words
    (folder / "eeg.json").unlink()
    assert "50 Hz is assumed, none is stated" in only(folder, "error", "mains")


def test_mains_that_there_is_nowhere_is_refused(folder):
    """No notch is made for it, or one that leaves the line in: beside the file or in the table, 0 too."""
    (folder / "eeg.json").unlink()
    for patient, stated in (("00", -50), ("01", 0), ("02", 55)):
        eeg_path(folder, patient, ".json").write_text(json.dumps({"PowerLineFrequency": stated}))
    write_participants(folder / "participants.tsv", [replace(one, mains_hz=700.0) for one in plain(2)])
    told = {patient: words for patient, _, words in found(folder, "error", "mains")}
    assert [words.split(" Hz is stated as its mains frequency; there are 50 and 60")[0] for words in told.values()] == [
        "-50", "0", "55", "700",
    ]  # fmt: skip
    assert "mains_hz in participants.tsv" in told["03"]


@pytest.mark.parametrize("stated", ["NaN", "Infinity", '"fifty"', "[50]", "1e999"])
def test_mains_that_are_no_number_are_refused(folder, stated):
    """In words, at the sidecar; what is told stays JSON, which knows no NaN."""
    eeg_path(folder, "00", ".json").write_text(f'{{"PowerLineFrequency": {stated}}}')
    done = check(folder)
    (error,) = done.errors
    assert (error.check, error.patient, error.file) == ("sidecar", "00", "sub-00/eeg/sub-00_task-flexext_eeg.json")
    assert "has PowerLineFrequency = " in error.what and error.remedy == "Mend that file."
    json.dumps(done.to_json(), allow_nan=False)


def test_mains_that_cannot_be_seen_is_a_note_where_none_is_stated(folder):
    """Without a line and without a word 50 Hz is assumed, and that is told."""
    write_xdf(eeg_path(folder, "00"), noise(0, mains_uv=0.0))
    assert not found(folder, "note", "mains")
    (folder / "eeg.json").unlink()
    assert only(folder, "note", "mains").startswith("No mains line stands out in it; 50 Hz is assumed")


def test_a_60_hz_site_among_50_hz_sites_is_listed(folder):
    """Each site with its mains and how many patients; a site with both is told too."""
    people = plain(2)
    people[0] = replace(people[0], site="B", mains_hz=60.0)
    people[1] = replace(people[1], mains_hz=60.0)
    write_participants(folder / "participants.tsv", people)
    (folder / "eeg.json").unlink()
    for seed in (0, 1):
        write_xdf(eeg_path(folder, f"{seed:02}"), noise(seed, mains_hz=60.0))
    assert not check(folder).errors
    sites, both = found(folder, "warning", "mains")
    assert "50 Hz at A (2); 60 Hz at A (1), B (1)." in sites[2]
    assert "both are stated at A." in both[2]


def test_one_recording_under_two_patients_is_refused(folder):
    """The same bytes, or the same samples in another kind of file."""
    shutil.copy(eeg_path(folder, "00"), eeg_path(folder, "01"))
    eeg_path(folder, "03").unlink()
    write_table(eeg_path(folder, "03", ".txt"), noise(2), MONTAGE.labels, rate_hz=1000.0)
    bytes_, samples = found(folder, "error", "copy")
    assert "the same as sub-01/eeg/sub-01_task-flexext_eeg.xdf: patients 00, 01 cannot" in bytes_[2]
    assert "the same as sub-03/eeg/sub-03_task-flexext_eeg.txt: patients 02, 03 cannot" in samples[2]


def test_later_recordings_are_listed(folder):
    """The first is learned from; a copy of it under another name is a warning."""
    own = eeg_path(folder, "00")
    shutil.copy(own, own.with_name("sub-00_task-flexext_run-2_eeg.xdf"))
    first = check(folder)
    assert "later ones are not: sub-00/eeg/sub-00_task-flexext_run-2_eeg.xdf." in only(folder, "note", "recordings")
    assert "It is the same as" in only(folder, "warning", "copy") and not first.errors


def test_has_eeg_must_be_as_the_files_are(folder):
    """True without a file is an error, false with one a warning, and then it is not used."""
    people = plain(2)
    people[1] = replace(people[1], has_eeg=False)
    write_participants(folder / "participants.tsv", people)
    shutil.rmtree(folder / "sub-00")
    assert only(folder, "error", "has_eeg").startswith("has_eeg is true, and there is no recording in sub-00.")
    assert "has_eeg is false, and there is sub-01/eeg/" in only(folder, "warning", "has_eeg")
    assert check(folder).rows[1].seconds is None


@pytest.mark.parametrize(
    ("changes", "level", "check_", "words"),
    [
        ({"fma_3mo": 35.0}, "error", "score", "fma_le_3mo is 35; the lower limb's score goes from 0 to 34."),
        ({"fma_baseline": -1.0}, "error", "score", "fma_le_baseline is -1;"),
        ({"fma_by_day": {30: 66.0}}, "error", "score", "fma_le_30 is 66;"),
        ({"fma_3mo": None}, "warning", "follow-up", "There is no follow-up at 90 +- 7 days: the patient is left out"),
        ({"fma_3mo": None, "fma_by_day": {120: 9.0}}, "warning", "follow-up", "those of day 120 are none"),
        ({"followup_days": 120.0}, "warning", "follow-up", "The follow-up was 120 days after the stroke; expected 90"),
        ({"fma_by_day": {88: 20.0}}, "error", "label", "fma_le_3mo is 5 and fma_le_88 is 20, on the two sides of 17."),
        ({"fma_by_day": {88: 6.0}}, "warning", "label", "fma_le_3mo is 5 and fma_le_88 is 6; the first is used."),
    ],
)
def test_labels_are_checked(sound, changes, level, check_, words):
    """Scores beyond the scale, follow-ups that are missing or late, and scores that contradict each other."""
    cohort = Cohort.open(sound)
    one = replace(cohort.participants[0], has_eeg=False, **changes)
    done = audit(replace(cohort, participants=(one,)))
    assert any(words in finding.what for finding in done.of(level) if finding.check == check_), done.findings


def test_a_follow_up_in_time_is_fine(folder):
    """Day 97 is within a week of day 90, and the same score on a day near it is no conflict."""
    people = [replace(one, followup_days=97.0, fma_by_day={90: one.fma_3mo}) for one in plain(2)]
    write_participants(folder / "participants.tsv", people)
    assert not {one.check for one in check(folder).findings} & {"follow-up", "label"}


@pytest.mark.parametrize(
    ("people", "level", "words"),
    [
        ([], "error", "Of the patients with a follow-up 0 did well and 0 poorly: with one outcome alone"),
        ([Participant("1", False, fma_3mo=30.0)], "error", "1 did well and 0 poorly: with one outcome alone"),
        (plain(1), "error", "1 did well and 1 poorly: a single patient cannot both teach and be judged."),
        (plain(4), "warning", "4 did well and 4 poorly: with fewer than 5 of an outcome"),
        (
            [replace(one, has_eeg=one.fma_3mo > 17) for one in plain(5)],
            "error",
            "Of the patients with EEG and a follow-up 5 did well and 0 poorly",
        ),
    ],
    ids=["nobody", "one", "one of each", "few", "one class with EEG"],
)
def test_there_must_be_patients_of_both_outcomes(tmp_path, people, level, words):
    """Nobody, one, one of each, one class with EEG: nothing can be learned; few: not in five folds."""
    write_participants(tmp_path / "participants.tsv", people)
    assert words in only(tmp_path, level, "classes")


def test_few_patients_with_eeg_are_a_warning_where_there_are_scans():
    """Scans are learned from all the same; too few patients of an outcome stay an error."""
    one_class = [replace(one, has_eeg=one.fma_3mo > 17) for one in plain(5)]
    (found,) = class_findings(one_class, scanned=True)
    assert found.level == "warning" and found.what.endswith("nothing to tell apart. Scans can be learned from.")
    assert [found.level for found in class_findings(one_class)] == ["error"]
    assert [found.level for found in class_findings(plain(1), scanned=True)] == ["error"]
    assert not list(class_findings([replace(one, has_eeg=False) for one in plain(5)], scanned=True))


def test_folders_that_fit_no_row_are_told(folder):
    """A folder without a row is a warning, one that is spelled otherwise an error."""
    (folder / "sub-99").mkdir()
    people = [replace(one, id="x" if one.id == "00" else one.id) for one in plain(2)]
    write_participants(folder / "participants.tsv", people)
    (folder / "sub-00").rename(folder / "sub-X")
    assert only(folder, "warning", "folder").startswith("No row names the folders sub-99;")
    assert "Rename one of the two to sub-x." in only(folder, "error", "folder")


def test_cells_and_rows_that_make_no_sense_are_listed(folder):
    """All of them, beside everything else, and no patient is looked at twice."""
    lines = (folder / "participants.tsv").read_text().splitlines()
    lines[1] = lines[1].replace("60", "old")
    (folder / "participants.tsv").write_text("\n".join([*lines, lines[2], "?"]) + "\n")
    done = check(folder)
    told = [finding.what for finding in done.of("error") if finding.check == "table"]
    assert len(told) == 3 and len(done.rows) == 4
    assert "has 'old' in column age" in told[0] and "2 rows of patient 01" in told[2]


def test_whom_the_paper_would_not_have_included_is_noted(folder):
    """By criterion, with the value; and how many remain. Nobody is left out for it."""
    people = plain(2)
    people[0] = replace(people[0], age=80.0, days_since_onset=13.0)
    people[1] = replace(people[1], strength_grade=2.0)
    people[2] = replace(people[2], age=None)
    write_participants(folder / "participants.tsv", people)
    notes = [words for *_, words in found(folder, "note", "inclusion")]
    assert notes == [
        "Not 40 to 79 years old, as the paper's patients were: 00 (80). ",
        "Not 14 days or more after the stroke, as the paper's patients were: 00 (13). ",
        "Not a strength of the leg of grade 3 or more, as the paper's patients were: 01 (2). ",
        "1 of 4 patients meet the paper's criteria that a table can tell; of 1 that is not known. ",
    ]
    assert [row.included for row in check(folder).rows] == [False, False, None, True]


def test_simulated_patients_do_not_slip_into_a_clinical_cohort(folder):
    """A file that says it was simulated is refused there, and at home in a synthetic one (law 9)."""
    write_xdf(eeg_path(folder, "00"), noise(0), origin="simulated")
    assert only(folder, "error", "origin").startswith("It is of a simulated patient; the cohort is clinical.")
    (folder / "dataset_description.json").write_text('{"Flexion": {"origin": "synthetic"}}')
    assert not found(folder, "error", "origin")


def test_sessions_of_the_ward_are_looked_through(folder, tmp_path):
    """Of the patient whose folder they lie in, and never a patient's among simulated ones."""
    session = session_of(tmp_path / "data", patient="00")
    shutil.rmtree(folder / "sub-00")
    shutil.copytree(session.path, folder / "sub-00" / "sessions" / session.info.session)
    done = check(folder)
    assert not done.errors and (done.rows[0].seconds, done.rows[0].mains_hz) == (16.0, 50.0)
    (folder / "sub-00").rename(folder / "sub-44")
    write_participants(folder / "participants.tsv", [replace(plain(1)[0], id="44"), *plain(2)[1:]])
    assert "Its session is patient 00's, not 44's." in only(folder, "error", "identity")
    (folder / "dataset_description.json").write_text('{"Flexion": {"origin": "synthetic"}}')
    assert "It was recorded of a patient; the cohort is synthetic." in only(folder, "error", "origin")


def test_a_session_that_was_recorded_wrongly_cannot_be_mended(folder, tmp_path):
    """Under the notch of another mains frequency, or in another unit: it is taken out."""
    session = session_of(tmp_path / "data", patient="00", samples=noise(7, mains_hz=60.0))
    shutil.rmtree(folder / "sub-00")
    shutil.copytree(session.path, folder / "sub-00" / "sessions" / session.info.session)
    assert "60 Hz; 50 Hz is stated" in only(folder, "error", "mains")
    remedy = "Take the session out of the cohort: it was recorded with the wrong setting."
    assert only(folder, "error", "mains").endswith(remedy)
    file = folder / "sub-00" / "sessions" / session.info.session / "session.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"mains_hz": 55.0}))
    words = only(folder, "error", "mains")
    assert words.startswith("55 Hz is stated as its mains") and words.endswith(remedy)


def test_a_session_that_was_entered_in_error_is_refused(folder, tmp_path):
    """It is somebody else's."""
    session = session_of(tmp_path / "data", patient="00", entered_in_error=True)
    shutil.rmtree(folder / "sub-00")
    shutil.copytree(session.path, folder / "sub-00" / "sessions" / session.info.session)
    assert "was entered in error" in only(folder, "error", "recording")


def test_muscles_in_a_file_of_their_own_are_looked_at_with_the_brain_s(folder):
    """Both files as one recording."""
    samples, n_eeg = noise(0), len(MONTAGE.eeg)
    emg = folder / "sub-00" / "emg" / "sub-00_task-flexext_emg.xdf"
    write_xdf(eeg_path(folder, "00"), samples[:, :n_eeg], labels=MONTAGE.labels[:n_eeg])
    write_xdf(emg, samples[:, n_eeg:], labels=MONTAGE.labels[n_eeg:])
    assert not check(folder).errors
    emg.write_bytes(b"")
    assert len(check(folder).errors) == 1


def test_an_audit_changes_no_file_that_was_there(folder):
    """It keeps decisions beside recordings, as every reader does, and writes nothing else."""
    before = files_of(folder)
    check(folder)
    after = files_of(folder)
    assert {name: after[name] for name in before} == before
    assert all(name.endswith(".decisions.jsonl") for name in set(after) - set(before))


def test_a_folder_without_a_table_is_no_cohort(tmp_path):
    """It is refused as a whole."""
    with pytest.raises(CohortError, match=r"participants\.tsv cannot be read"):
        check(tmp_path)


def test_real_recordings_that_do_not_fit_are_told_in_words(shared_data, tmp_path):
    """Other people's files of every kind, broken ones too: each one finding with a remedy, never a crash."""
    files = [
        "xdf-bciess-gusbamp16/switch_example.xdf",
        "xdf-example-files/minimal.xdf",
        "xdf-example-files/empty_streams.xdf",
        "xdf-malformed/chunk_length_lie.xdf",
        "emg-uci-lowerlimb/5Nsen.txt",
        "txt-biosppy/emg.txt",
        "eeg-brainvision-1000/test.vhdr",
        "eeg-ant-1024/sample-eeg-ant-raw.fif",
    ]
    people = [replace(plain(1)[n % 2], id=f"{n}") for n in range(len(files))]
    write_participants(tmp_path / "participants.tsv", people)
    for one, file in zip(people, files, strict=True):
        path = eeg_path(tmp_path, one.id, (shared_data / file).suffix)
        path.parent.mkdir(parents=True)
        shutil.copy(shared_data / file, path)
    done = check(tmp_path)
    assert sorted(error.patient for error in done.errors) == [one.id for one in people]
    assert all(error.what and error.remedy and "--" not in error.remedy for error in done.errors), done.errors


@pytest.mark.parametrize("changes", [{"session": "../etc"}, {"patient": "a b"}, {"schema": "other"}])
def test_a_session_whose_file_does_not_fit_is_told(folder, tmp_path, changes):
    """One finding for a session.json that was written by hand, whatever is wrong in it."""
    session = session_of(tmp_path / "data", patient="00")
    shutil.rmtree(folder / "sub-00")
    copy = folder / "sub-00" / "sessions" / session.info.session
    shutil.copytree(session.path, copy)
    values = json.loads((copy / "session.json").read_text())
    (copy / "session.json").write_text(json.dumps(values | changes))
    (error,) = check(folder).errors
    assert (error.patient, error.file) == ("00", f"sub-00/sessions/{session.info.session}")
