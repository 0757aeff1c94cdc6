"""The list of patients, from the session folders."""

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from acquisition.identity import new_session_id
from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from acquisition.session_info import SessionInfo
from dashboard.archive import Archive
from dashboard.patients import PATIENTS_SHOWN, SESSIONS_SHOWN, Patients
from dashboard.settings import DashboardSettings
from inference.bundle import SHIPPED, load_bundle
from tests.dashboard.conftest import result

BUNDLE = load_bundle(SHIPPED / "lstm-bands")
BOUND = {"name": BUNDLE.name, "version": "1", "sha256": BUNDLE.sha256, "origin": "synthetic"}


def record(data: Path, patient: str, day: int = 1, n: int = 0, bundle: Any = None, **more: Any) -> SessionFolder:
    """Make the folder of a session that ended with n scored windows."""
    montage = load_montage("amp16")
    info = SessionInfo(
        session=new_session_id(1.8e9 + 86400 * day),
        patient=patient,
        bed="B4",
        mode="live",
        origin="live",
        created_utc=f"2027-01-{day:02}T12:00:00Z",
        montage=montage.to_json(),
        mains_hz=50.0,
        rate_hz=1000.0,
        fingerprint=BUNDLE.signal.fingerprint,
        bundles={"eeg_emg": bundle, "fmri": None, "fusion": None},
        **more,
    )
    folder = SessionFolder.create(data, info)
    for index in range(n):
        line = result(info.session, index).to_json() | {"bundle_sha256": BUNDLE.sha256}
        line |= {"fingerprint": BUNDLE.signal.fingerprint, "embedding": [0.0] * 32}
        folder.append_result(line)
    folder.write_ledger({"ended": True})
    folder.close()
    return folder


@pytest.fixture
def patients(tmp_path: Path) -> Patients:
    """Return the patients of an empty folder."""
    return Patients(tmp_path, Archive(tmp_path))


def names(patients: Patients, search: str = "", page: int = 1) -> list[str]:
    """Return the pseudonyms of a page."""
    return [row.patient for row in patients.page(search, page).patients]


def test_an_empty_folder_has_nobody(patients: Patients) -> None:
    """No folder at all is no error either."""
    page = patients.page("", 1)
    assert (page.patients, page.pages, page.total, page.unreadable) == ([], 1, 0, 0)


def test_the_newest_session_comes_first_whatever_the_numbers(patients: Patients, tmp_path: Path) -> None:
    """The order is that of time; sessions of one patient stand side by side, and the oldest are counted."""
    for day, name in enumerate(["P-1", "P-2", "P-1", "P-3"], start=1):
        record(tmp_path, name, day)
    assert names(patients) == ["P-3", "P-1", "P-2"]
    assert [row.created_utc for row in patients.page("P-1", 1).patients[0].sessions] == [
        "2027-01-03T12:00:00Z",
        "2027-01-01T12:00:00Z",
    ]
    for day in range(5, 5 + SESSIONS_SHOWN):
        record(tmp_path, "P-2", day)
    (row,) = patients.page("P-2", 1).patients
    assert (row.n_sessions, len(row.sessions)) == (1 + SESSIONS_SHOWN, SESSIONS_SHOWN)


def test_the_state_is_that_of_the_folder(patients: Patients, tmp_path: Path) -> None:
    """The aggregator's own functions say it, from the results and the session's bundle; a change is seen."""
    record(tmp_path, "P-1", n=3, bundle=BOUND)
    record(tmp_path, "P-2", 2)
    last = record(tmp_path, "P-3", 3, n=1, bundle=BOUND)
    rows = {row.patient: row.sessions[0] for row in patients.page("", 1).patients}
    assert (rows["P-1"].state, rows["P-1"].modalities, rows["P-1"].synthetic) == ("PARTIAL", ["eeg_emg"], True)
    assert rows["P-1"].probability is not None
    assert (rows["P-2"].scored, rows["P-2"].state) == (False, None)
    assert (rows["P-3"].state, rows["P-3"].probability) == ("ABSTAINED", None)
    more = result(last.info.session, 1).to_json() | {"bundle_sha256": BUNDLE.sha256}
    last.append_result(more | {"fingerprint": BUNDLE.signal.fingerprint, "embedding": [0.0] * 32})
    assert patients.page("P-3", 1).patients[0].sessions[0].state == "PARTIAL"


def test_what_was_entered_in_error_has_no_number(patients: Patients, tmp_path: Path) -> None:
    """It is kept, and never shown as anybody's result."""
    record(tmp_path, "P-1", n=3, bundle=BOUND, entered_in_error=True)
    (row,) = patients.page("", 1).patients
    assert (row.sessions[0].in_error, row.sessions[0].state, row.sessions[0].probability) == (True, None, None)


def test_a_model_that_is_not_here_is_named(patients: Patients, tmp_path: Path) -> None:
    """No number of another model stands in for it."""
    record(tmp_path, "P-1", n=3, bundle={**BOUND, "sha256": "cd" * 32})
    (row,) = patients.page("", 1).patients
    assert row.sessions[0].state is None
    assert "not at hand" in row.sessions[0].lacking


def test_what_nobody_can_read_is_counted(patients: Patients, tmp_path: Path) -> None:
    """A spoiled folder hides no other, and one that is taken away between two looks is said."""
    kept = record(tmp_path, "P-1", n=3, bundle=BOUND)
    for day, text in enumerate(["", "{", "[]", '{"patient": "no name at all"}'], start=2):
        (record(tmp_path, "P-9", day).path / "session.json").write_text(text)
    (tmp_path / "sessions" / "not a session").mkdir()
    (tmp_path / "sessions" / new_session_id()).mkdir()
    page = patients.page("", 1)
    assert ([row.patient for row in page.patients], page.unreadable) == (["P-1"], 5)
    shutil.rmtree(kept.path)
    assert patients._row(kept.info.session).unreadable


@pytest.mark.parametrize(
    "spoiled", [{"created_utc": 7}, {"bundles": ["a"]}, {"ended": 7}, {"repeats": 1}, {"schema": 1}]
)
def test_a_session_json_of_another_shape_hides_no_other(patients: Patients, tmp_path: Path, spoiled: Any) -> None:
    """It is JSON and names a patient; what else it says is not what ours do."""
    record(tmp_path, "P-1")
    path = record(tmp_path, "P-2", day=2).path / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **spoiled}))
    rows = {row.patient: row.sessions[0].unreadable for row in patients.page("", 1).patients}
    assert rows == {"P-2": True, "P-1": False}


def test_pages_and_search(patients: Patients, tmp_path: Path) -> None:
    """By a part of the pseudonym, in any case; a page beyond the last is empty."""
    folder = tmp_path / "sessions"
    folder.mkdir()
    for n in range(PATIENTS_SHOWN + 1):
        path = folder / new_session_id(1.8e9 + n)
        path.mkdir()
        (path / "session.json").write_text(json.dumps({"patient": f"P-{n:03}"}))
    page = patients.page("", 2)
    assert ([row.patient for row in page.patients], page.pages, page.total) == (["P-000"], 2, PATIENTS_SHOWN + 1)
    assert names(patients, "p-01") == [f"P-{n:03}" for n in range(19, 9, -1)]
    assert (names(patients, "x"), names(patients, "", 3)) == ([], [])


def test_over_http(client: httpx.Client, settings: DashboardSettings) -> None:
    """A page for people, JSON for machines, and a refusal for what is no search."""
    record(settings.data_dir, "P-017")
    assert client.get("/patients").status_code == 200
    assert client.get("/api/v1/patients", params={"search": "17"}).json()["patients"][0]["patient"] == "P-017"
    for params in ({"page": 0}, {"page": "x"}, {"search": "x" * 33}):
        answer = client.get("/api/v1/patients", params=params)
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
