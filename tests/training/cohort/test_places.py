"""Where recordings and scans lie, and what their sidecars say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acquisition.formats.text_rows import Dialect
from acquisition.reading import AS_IT_IS, Reading
from training.cohort import places
from training.cohort.errors import CohortError
from training.cohort.participants import COLUMNS
from training.cohort.places import Place, emg_beside, has_recording, is_at_rest, places_of, scans_of

EEG = "sub-1_task-flexext_eeg"


@pytest.fixture
def eeg(tmp_path):
    """Return the folder of a patient's EEG in a cohort."""
    folder = tmp_path / "sub-1" / "eeg"
    folder.mkdir(parents=True)
    return folder


def test_a_file_alone_says_nothing(tmp_path, eeg):
    """Without a sidecar a recording is read as it is."""
    (eeg / f"{EEG}.xdf").touch()
    assert places_of(tmp_path, "1") == (Place("1", eeg / f"{EEG}.xdf"),)
    assert not places_of(tmp_path, "1")[0].is_session
    assert places_of(tmp_path, "2") == ()
    assert has_recording(tmp_path, "1") and not has_recording(tmp_path, "2")


def test_what_lies_beside_a_recording_is_none(tmp_path, eeg):
    """Tables and sidecars of a recording, hidden files and other kinds are not recordings."""
    for name in (f"{EEG}.json", "sub-1_task-flexext_channels.tsv", "sub-1_task-flexext_events.tsv", f".{EEG}.xdf"):
        (eeg / name).touch()
    (eeg / f"{EEG}.eeg").touch()
    assert not has_recording(tmp_path, "1")


def test_the_sidecar_says_what_a_table_leaves_open(tmp_path, eeg):
    """Rate, mains, unit, labels and the way in which it is written; "n/a" is nothing said."""
    (eeg / f"{EEG}.txt").touch()
    said = {"SamplingFrequency": 1000, "PowerLineFrequency": 60, "Unit": "mV", "Labels": ["C3", "C1"]}
    said |= {"Delimiter": ";", "Decimal": ",", "HeaderLines": 2, "TimeColumn": "none", "Counter": "n:256"}
    (eeg / f"{EEG}.json").write_text(json.dumps(said | {"Stream": "n/a", "TaskName": 7}))
    (place,) = places_of(tmp_path, "1")
    dialect = Dialect(";", ",", 2, None, "none")
    assert place.reading == Reading(1000.0, ("C3", "C1"), counter="n:256", dialect=dialect)
    assert (place.unit, place.mains_hz) == ("mV", 60.0)


def test_what_holds_for_all_files_stands_at_the_top(tmp_path, eeg):
    """A sidecar of the whole cohort is believed where the file's own says nothing."""
    (eeg / f"{EEG}.csv").touch()
    (tmp_path / "eeg.json").write_text('{"Unit": "V", "SamplingFrequency": 500}')
    (tmp_path / "task-flexext_eeg.json").write_text('{"Unit": "mV", "PowerLineFrequency": 50}')
    (eeg / f"{EEG}.json").write_text('{"PowerLineFrequency": 60}')
    (place,) = places_of(tmp_path, "1")
    assert (place.reading.rate_hz, place.unit, place.mains_hz) == (500.0, "mV", 60.0)


def test_the_table_of_channels_names_a_table_s_columns(tmp_path, eeg):
    """Names for tables alone, whose header may lack them; a unit where all have the same."""
    (eeg / f"{EEG}.txt").touch()
    (eeg / "sub-1_task-flexext_channels.tsv").write_text("name\ttype\tunits\nC3\tEEG\tuV\nRF\tEMG\tuV\n")
    (place,) = places_of(tmp_path, "1")
    assert (place.reading.labels, place.unit) == (("C3", "RF"), "uV")
    (eeg / f"{EEG}.txt").rename(eeg / f"{EEG}.xdf")
    (eeg / "sub-1_task-flexext_channels.tsv").write_text("name\ttype\tunits\nC3\tEEG\tuV\nRF\tEMG\tmV\n")
    (place,) = places_of(tmp_path, "1")
    assert (place.reading, place.unit) == (AS_IT_IS, None)


def test_muscles_lie_in_a_file_of_their_own(tmp_path, eeg):
    """The one of the same name but for its last word, with a sidecar of its own."""
    emg = eeg.with_name("emg")
    emg.mkdir()
    for name in (f"{EEG}.xdf", "sub-1_task-rest_eeg.xdf"):
        (eeg / name).touch()
    (emg / "sub-1_task-flexext_emg.csv").touch()
    (emg / "sub-1_task-flexext_emg.json").write_text('{"Unit": "mV"}')
    own, without = places_of(tmp_path, "1")
    assert (own.emg_path, own.unit, own.emg_unit) == (emg / "sub-1_task-flexext_emg.csv", None, "mV")
    assert emg_beside(without.path) is without.emg_path is None


def test_recordings_come_in_order_of_time(tmp_path, eeg):
    """Run 2 comes before run 10, a later BIDS session after both, the ward's sessions at last."""
    for run in ("10", "2"):
        (eeg / f"sub-1_task-flexext_run-{run}_eeg.edf").touch()
    later = tmp_path / "sub-1" / "ses-2" / "eeg"
    later.mkdir(parents=True)
    (later / "sub-1_ses-2_task-flexext_eeg.vhdr").touch()
    session = tmp_path / "sub-1" / "sessions" / "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    session.mkdir(parents=True)
    (session / "session.json").write_text("no session's")
    places = places_of(tmp_path, "1")
    names = [place.path.name for place in places]
    assert [name.split("_")[-2] for name in names[:3]] == ["run-2", "run-10", "task-flexext"]
    assert names[3] == session.name and places[3].is_session and places[3].mains_hz is None


def test_scans_are_found(tmp_path):
    """Functional scans, packed or not, and nothing else."""
    func = tmp_path / "sub-1" / "func"
    func.mkdir(parents=True)
    for name in ("sub-1_task-rest_run-2_bold.nii", "sub-1_task-rest_bold.nii.gz", "sub-1_task-rest_bold.json"):
        (func / name).touch()
    assert [path.name.partition("task-")[2] for path in scans_of(tmp_path, "1")] == [
        "rest_bold.nii.gz",
        "rest_run-2_bold.nii",
    ]
    assert scans_of(tmp_path, "2") == ()


def test_of_several_series_those_at_rest_come_first(tmp_path):
    """Whatever their names sort like, in any session; then the shorter echo. Phase is no scan, nor a hidden file."""
    func, later = (tmp_path / "sub-1" / part for part in ("func", "ses-2/func"))
    for folder in (func, later):
        folder.mkdir(parents=True)
    names = [
        "sub-1_task-fingertap_bold.nii.gz",
        "sub-1_task-fingertap_part-phase_bold.nii.gz",
        "sub-1_task-rest_echo-1_part-phase_bold.nii.gz",
        "sub-1_task-rest_echo-2_part-mag_bold.nii.gz",
        "sub-1_task-rest_echo-1_part-mag_bold.nii.gz",
        "sub-1_part-real_bold.nii",
        "._sub-1_task-rest_bold.nii.gz",
    ]
    for name in names:
        (func / name).touch()
    (later / "sub-1_ses-2_task-restEyesOpen_bold.nii").touch()
    found = scans_of(tmp_path, "1")
    assert [path.name.partition("task-")[2].partition("_")[0] for path in found] == [
        "rest", "rest", "restEyesOpen", "fingertap",
    ]  # fmt: skip
    assert found[0].name == "sub-1_task-rest_echo-1_part-mag_bold.nii.gz"
    assert [is_at_rest(path) for path in found] == [True, True, True, False]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (f"{EEG}.json", "{", r"_eeg\.json cannot be read: .* Mend that file"),
        (f"{EEG}.json", "[]", r"_eeg\.json holds no object"),
        (f"{EEG}.json", '{"SamplingFrequency": "1 kHz"}', r"has SamplingFrequency = '1 kHz'; expected int or float"),
        (f"{EEG}.json", '{"PowerLineFrequency": NaN}', r"has PowerLineFrequency = nan; expected a number\. Mend that"),
        (f"{EEG}.json", '{"PowerLineFrequency": -Infinity}', r"has PowerLineFrequency = -inf; expected a number"),
        (
            f"{EEG}.json",
            '{"SamplingFrequency": 1%s}' % (400 * "0"),
            r"has SamplingFrequency = 10+\.\.\.0+; expected a nu",
        ),
        (f"{EEG}.json", 100_000 * "[", r"_eeg\.json cannot be read: maximum recursion depth"),
        (f"{EEG}.json", '{"HeaderLines": true}', r"has HeaderLines = True; expected int"),
        (f"{EEG}.json", '{"Decimal": "x"}', r"_eeg\.json does not say how a table is written: "),
        ("sub-1_task-flexext_channels.tsv", "C3\nC1\n", r"_channels\.tsv is no table with a column 'name'"),
        ("sub-1_task-flexext_channels.tsv", "name\tunits\nC3\n", r"and a cell in each column"),
    ],
)
def test_a_broken_sidecar_is_refused(tmp_path, eeg, name, text, words):
    """The file is named, with what is wrong in it."""
    (eeg / f"{EEG}.txt").touch()
    (eeg / name).write_text(text)
    with pytest.raises(CohortError, match=words):
        places_of(tmp_path, "1")


def test_channels_that_are_no_text_are_refused(tmp_path, eeg):
    """Bytes that mean nothing are no table."""
    (eeg / f"{EEG}.txt").touch()
    (eeg / "sub-1_task-flexext_channels.tsv").write_bytes(b"\xff\xff")
    with pytest.raises(CohortError, match=r"_channels\.tsv cannot be read"):
        places_of(tmp_path, "1")


def test_the_page_about_cohorts_names_every_column_and_key():
    """Whoever lays out a cohort finds in docs/cohort.md all that is read of it."""
    page = (Path(__file__).parents[3] / "docs" / "cohort.md").read_text("utf-8")
    assert [name for name in (*COLUMNS, *places._TYPES) if f"`{name}`" not in page] == []
