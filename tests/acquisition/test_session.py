"""The session folder: written live, cut anywhere, continued by the next life (laws 2 and 3)."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.decisions import Decision
from acquisition.errors import BadEnvironment, DiskFull, IdentityError, RecordingError
from acquisition.formats.xdf_header import StreamHeader
from acquisition.identity import new_session_id
from acquisition.montage import Montage, load_montage
from acquisition.session import SessionFolder, SessionInfo, known_sessions, scanned_patients
from tests import no_files
from tests.acquisition.test_durable import disk_of

MONTAGE = load_montage("amp16")
SIGNAL = StreamHeader(
    "Amp16", "EEG", "float32", 1000.0, 16, MONTAGE.labels, ("uV",) * 16, MONTAGE.kinds, origin="simulated"
)
MARKERS = StreamHeader("Cues", "Markers", "string", 0.0, 1)
SEGMENT = Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})


def info(**changes):
    """What a session begins with."""
    plain = SessionInfo(
        session=new_session_id(),
        patient="P-017",
        bed="bed4",
        mode="demo",
        origin="simulated",
        created_utc="2026-11-22T10:00:00Z",
        montage=MONTAGE.to_json(),
        mains_hz=50.0,
        rate_hz=1000.0,
        fingerprint="ab" * 32,
        bundles={"eeg_emg": {"name": "lstm-bands", "version": "1", "sha256": "cd" * 32, "origin": "synthetic"}},
        planned_s=540.0,
    )
    return replace(plain, **changes)


def chunk(first, n=20):
    """Sixteen channels that hold the sample index, and their stamps."""
    index = np.arange(first, first + n)
    return np.repeat(index[:, None], 16, 1).astype(np.float32), 50.0 + index / 1000


def live(folder, n=100, chunk_size=20):
    """One life: decisions first, then samples; not closed, as a crash leaves it."""
    writer = folder.open_part([SIGNAL, MARKERS])
    folder.append_decision(replace(SEGMENT, part=writer.part))
    for first in range(0, n, chunk_size):
        writer.append(0, *chunk(first, chunk_size))
    writer.append(1, ["preparation"], np.array([50.01]))
    writer.sync()
    return writer


def test_a_session_is_made_found_and_read(tmp_path):
    """The whole of what a session begins with comes back from its folder."""
    made = SessionFolder.create(tmp_path, info())
    found = SessionFolder.find(tmp_path, made.info.session)
    assert found.info == made.info
    assert found.path == tmp_path / "sessions" / made.info.session
    assert found.decisions() == [] and found.parts() == [] and found.results() == [] and found.ledger() is None


def test_fields_of_a_session_can_change(tmp_path):
    """The clock map grows with each part, and a wrong patient is marked."""
    folder = SessionFolder.create(tmp_path, info())
    folder.update(entered_in_error=True, clock=[{"part": 1, "lsl_s": 1.0, "utc_s": 2.0}])
    again = SessionFolder.open(folder.path).info
    assert again.entered_in_error and list(again.clock) == [{"part": 1, "lsl_s": 1.0, "utc_s": 2.0}]


def test_samples_and_decisions_are_recorded(tmp_path):
    """A life's samples, stamps, markers and decisions are in the folder, bit for bit (law 2)."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder).close()
    (part,) = folder.parts()
    samples, stamps = chunk(0, 100)
    np.testing.assert_array_equal(part.samples, samples)
    np.testing.assert_array_equal(part.stamps, stamps)
    assert part.labels == MONTAGE.labels and part.units == ("uV",) * 16
    assert [(m.stamp_s, m.text) for m in part.markers] == [(50.01, "preparation")]
    assert part.origin == "simulated"
    assert folder.decisions() == [SEGMENT]
    assert folder.recover().voided == 0


def test_each_life_writes_its_own_part(tmp_path):
    """A later life never appends to an earlier one's part (law 2)."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder)
    again = SessionFolder.open(folder.path)
    again.recover()
    assert again.next_part() == 2
    live(again, 40).close()
    assert [len(part.stamps) for part in again.parts()] == [100, 40]
    assert again.part_numbers() == [1, 2]


def test_a_torn_tail_is_cut_and_kept(tmp_path):
    """What a crash left of the last chunk is moved beside the part; whole chunks stay (law 2)."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder)
    path = folder.part_path(1)
    whole = path.read_bytes()
    for tail in (b"\x04\x99\x05\x00\x00\x03\x00half", b"\x00" * 4096):
        path.write_bytes(whole + tail)
        assert folder.recover().torn_bytes == {1: len(tail)}
        assert path.read_bytes() == whole
        assert folder.path.joinpath("recording-1.torn").read_bytes().endswith(tail)
        assert folder.recover().torn_bytes == {}


def test_recovering_at_any_byte_leaves_a_record_that_fits(tmp_path):
    """Wherever the part is cut, samples and decisions agree afterwards, and stay so (laws 2 and 3)."""
    folder = SessionFolder.create(tmp_path, info())
    writer = live(folder, 20)
    for at in (20, 40):
        folder.append_decision(Decision("bridged", 1, 0, at, {"n": 2}), Decision("marker", 1, 0, at, {"text": "x"}))
        writer.append(0, *chunk(at))
    part, log = folder.part_path(1).read_bytes(), (folder.path / "decisions.jsonl").read_bytes()
    samples_from = part.rindex(b"preparation")
    for size in range(samples_from + 11, len(part), 97):
        folder.part_path(1).write_bytes(part[:size])
        (folder.path / "decisions.jsonl").write_bytes(log)
        again = SessionFolder.open(folder.path)
        before = again.decisions()
        recovered = again.recover()
        n = len(again.parts()[0].stamps)
        kept = [d for d in again.decisions() if d.kind != "voided"]
        assert kept == before
        assert all(d.at <= n and (d.kind != "bridged" or d.at < n) for d in kept)
        assert recovered.voided == 5 - len(kept)
        again.close()


def test_voided_decisions_are_told(tmp_path):
    """The next life appends how many decisions never took effect, in the part that it begins."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder)
    folder.append_decision(Decision("bridged", 1, 0, 400, {"n": 2}))
    assert folder.recover().voided == 1
    assert folder.decisions()[-1] == Decision("voided", 2, 0, 0, {"lines": [1], "n": 1})
    assert folder.recover().voided == 0


def test_a_torn_line_is_not_glued_to_the_next(tmp_path):
    """After a torn last line the next decision begins on a line of its own."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder)
    folder.close()
    with open(folder.path / "decisions.jsonl", "ab") as file:
        file.write(b'{"kind":"bri')
    again = SessionFolder.open(folder.path)
    again.recover()
    again.append_decision(Decision("term", 2, 0, 0, {"term": 2}))
    assert [d.kind for d in again.decisions()] == ["segment", "voided", "term"]


def test_results_are_appended_once(tmp_path):
    """A result that comes again, in this life or the next, is not written twice (law 5)."""
    folder = SessionFolder.create(tmp_path, info())
    assert folder.append_result({"index": 0, "logit": 0.5})
    assert folder.append_result({"scan_sha256": "ef", "logit": 1.0})
    assert not folder.append_result({"index": 0, "logit": 0.7})
    folder.close()
    again = SessionFolder.open(folder.path)
    assert not again.append_result({"index": 0, "logit": 0.9})
    assert not again.append_result({"scan_sha256": "ef", "logit": 1.0})
    assert again.append_result({"index": 1, "logit": 0.1})
    assert again.results() == [
        {"index": 0, "logit": 0.5},
        {"scan_sha256": "ef", "logit": 1.0},
        {"index": 1, "logit": 0.1},
    ]


def test_a_torn_result_is_cut_and_written_again(tmp_path):
    """A result that was torn is not there, and can be appended again."""
    folder = SessionFolder.create(tmp_path, info())
    folder.append_result({"index": 0})
    folder.close()
    with open(folder.path / "results.jsonl", "ab") as file:
        file.write(b'{"index":1,"lo')
    again = SessionFolder.open(folder.path)
    assert again.results() == [{"index": 0}]
    assert again.recover().torn_results == 14
    assert again.append_result({"index": 1})
    assert again.results() == [{"index": 0}, {"index": 1}]


def test_a_result_that_the_disk_refuses_can_be_appended_later(tmp_path):
    """A full disk is an error each time, not a result that is taken for written."""
    folder = SessionFolder.create(tmp_path, info())
    folder.append_result({"index": 0})
    with disk_of((folder.path / "results.jsonl").stat().st_size + 3), pytest.raises(DiskFull):
        folder.append_result({"index": 1})
    assert folder.append_result({"index": 1})
    assert folder.results() == [{"index": 0}, {"index": 1}]


def test_ledger_and_notes_are_kept(tmp_path):
    """The ledger is replaced whole, notes only grow."""
    folder = SessionFolder.create(tmp_path, info())
    folder.write_ledger({"balanced": False})
    folder.write_ledger({"balanced": True})
    folder.append_note({"text": "electrode C3 pressed on"})
    folder.append_note({"text": "patient tired"})
    assert folder.ledger() == {"balanced": True}
    assert [note["text"] for note in folder.notes()] == ["electrode C3 pressed on", "patient tired"]


def test_sessions_are_listed_oldest_first(tmp_path):
    """Folders that are no session are left out of the list, never fatal to it."""
    ids = [SessionFolder.create(tmp_path, info(session=new_session_id(1e9 + k))).info.session for k in range(3)]
    (tmp_path / "sessions" / "lost+found").mkdir()
    assert [folder.info.session for folder in known_sessions(tmp_path)] == ids
    assert list(known_sessions(tmp_path / "none")) == []


def test_a_session_is_not_made_twice(tmp_path):
    """A session belongs to one patient for ever."""
    folder = SessionFolder.create(tmp_path, info())
    with pytest.raises(IdentityError, match="exists already"):
        SessionFolder.create(tmp_path, folder.info)


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path):
    """The words name the folder and the option: the machine refuses, and it is no fault of ours."""
    (tmp_path / "file").touch()
    with pytest.raises(BadEnvironment, match="Not a directory.*Name another folder"):
        SessionFolder.create(tmp_path / "file" / "data", info())


@pytest.mark.parametrize("field", ["patient", "bed"])
def test_names_that_differ_by_case_are_one(tmp_path, field):
    """P-017 and p-017 must not become two patients."""
    folder = SessionFolder.create(tmp_path, info())
    known = getattr(folder.info, field)
    other = known.swapcase()
    with pytest.raises(IdentityError, match=f"{field} {other} is already known as {known}"):
        SessionFolder.create(tmp_path, info(**{field: other}))


def test_a_session_that_is_not_there_is_told(tmp_path):
    """An unknown id, and a text that is none, each have their sentence."""
    with pytest.raises(IdentityError, match="there is no session"):
        SessionFolder.find(tmp_path, new_session_id())
    with pytest.raises(IdentityError, match="is not an id"):
        SessionFolder.find(tmp_path, "../etc")


def deep(n):
    """Return lists in one another."""
    return [] if n == 0 else [deep(n - 1)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"schema": "flexion.session/9"}, "schema is 'flexion.session/9', expected 'flexion.session/1'"),
        ({"colour": "red"}, "colour is not a known key"),
        ({"one\ntwo" + 1000 * "!": "red"}, r"json: 'one\\ntwo!+\.\.\.!+' is not a known key"),
        ({"mode": "guess"}, "mode is 'guess', expected one of demo, live, replay, score"),
        ({"origin": "found"}, "origin is 'found', expected one of simulated, recorded, live"),
        ({"patient": "a b\n" + 1000 * "c"}, r"cannot be used: patient 'a b\\nc+ \.\.\.\. Restore"),
        ({"session": ["a"]}, "session must be a text, not a list"),
        ({"bed": 7}, "bed must be a text, not a number"),
        ({"created_utc": "yesterday"}, "created_utc is 'yesterday', expected a moment such as"),
        ({"montage": []}, "montage must be an object, not a list"),
        ({"montage": {"name": ["a"]}}, r"montage cannot be used: it has name = \['a'\]; expected str"),
        ({"mains_hz": "50"}, "mains_hz must be a number, not a text"),
        ({"rate_hz": 0}, "rate_hz is 0, expected a finite number from 1"),
        ({"unit": ["uV"]}, r"unit is \['uV'\], expected a text"),
        ({"source": "Amp"}, "source must be an object, not a text"),
        ({"source": {"kind": 7}}, "source.kind is 7, expected a text"),
        ({"source": {"partner": 7}}, "source.partner must be an object, not a number"),
        ({"bundles": ["a"]}, "bundles must be an object, not a list"),
        ({"bundles": {"fmri": {"name": "a"}}}, "bundles.fmri.version is missing"),
        (
            {"bundles": {"fmri": {"name": "a", "version": "1", "sha256": "b", "origin": 7}}},
            "fmri.origin must be a text",
        ),
        ({"excerpt": {"from_s": 1.0}}, "excerpt.to_s is missing"),
        ({"excerpt": {"from_s": 1.0, "to_s": 2.0, "at_s": 1.0}}, "excerpt.at_s is not a known key"),
        ({"rounds": 1.5}, "rounds must be a whole number, not a number"),
        ({"repeats": 1}, "repeats must be true or false, not a number"),
        ({"decisions": {"path": 1}}, "decisions.path must be a text"),
        ({"versions": {"numpy": 2}}, "versions.numpy is 2, expected a text"),
        ({"clock": {}}, "clock must be a list, not an object"),
        ({"clock": [{"part": 0}]}, r"clock\[0\]\.part is 0, expected at least 1"),
        ({"age": -1}, "age is -1, expected a finite number from 0"),
        ({"paretic_side": "both"}, "paretic_side is 'both', expected one of left, right"),
        ({"lesion_side": "\ud800"}, "holds half a character"),
        ({"source": {"a": deep(40)}}, "is nested too deeply"),
    ],
)
def test_a_session_file_that_does_not_fit_is_refused(tmp_path, changes, words):
    """Each way in which session.json can be wrong is said with the value (law 10)."""
    folder = SessionFolder.create(tmp_path, info())
    file = folder.path / "session.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(RecordingError, match=words):
        SessionFolder.open(folder.path)


@pytest.mark.parametrize("key", ["session", "montage", "mains_hz", "fingerprint"])
def test_a_session_file_without_a_key_is_refused(tmp_path, key):
    """Every key that has no default must be there."""
    folder = SessionFolder.create(tmp_path, info())
    file = folder.path / "session.json"
    values = json.loads(file.read_text())
    del values[key]
    file.write_text(json.dumps(values))
    with pytest.raises(RecordingError, match=f"session.json: {key} is missing"):
        SessionFolder.open(folder.path)


RUBBISH = [b"", b"{", b"[]", b"\xff", b'{"schema": "flexion.session/1"}', b"[" * 100_000, b'{"schema": NaN}']


@pytest.mark.parametrize("content", RUBBISH, ids=range(len(RUBBISH)))
def test_a_session_file_that_is_broken_is_refused(tmp_path, content):
    """Rubbish in session.json names the file and where to get it again, and hides no other session."""
    folder, other = SessionFolder.create(tmp_path, info()), SessionFolder.create(tmp_path, info())
    (folder.path / "session.json").write_bytes(content)
    with pytest.raises(RecordingError, match=r"session\.json.*Restore the session folder from a copy"):
        SessionFolder.open(folder.path)
    told = {}
    known = known_sessions(tmp_path, lambda path, error: told.update({path.name: error.subject}))
    assert [one.info.session for one in known] == [other.info.session]
    assert told == {folder.info.session: str(folder.path / "session.json")}


def places(value, at=()):
    """Yield the way to every value in a value of JSON."""
    yield at
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*at, key))


def with_(value, at, other):
    """Return a value of JSON with another one in one place."""
    if not at:
        return other
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[at[0]] = with_(changed[at[0]], at[1:], other)
    return changed


#: All that a session may know.
FULL = json.loads(
    json.dumps(
        info(
            unit="uV",
            source={
                "kind": "lsl",
                "name": "Amp",
                "partner": {"name": "B"},
                "reading": {"rate_hz": 1.0},
                "channels": [1],
            },
            markers_source={"name": "Cues"},
            excerpt={"from_s": 0.0, "to_s": 1.0},
            decisions={"path": "a", "sha256": "b"},
            expected_samples=7,
            resampled_from_hz=500.0,
            replay_of="a",
            versions={"numpy": "2"},
            clock=[{"part": 1, "lsl_s": 1.0, "utc_s": 2.0, "boot": ""}],
            age=60.0,
            days_since_onset=20.0,
            lesion_side="left",
            paretic_side="right",
        ).to_json()
    )
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**300), 10**300)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(at=st.sampled_from(sorted(places(FULL), key=str)), other=JSON)
def test_whatever_stands_in_a_session_file_is_taken_or_refused_in_a_line(at, other):
    """Any value of JSON in any place: a session that can be written again, or a line that names the file (law 10)."""
    try:
        taken = SessionInfo.from_json(with_(FULL, at, other), subject="/data/session.json")
    except RecordingError as error:
        words = str(error)
        assert words.startswith("/data/session.json") and words.endswith("Restore the session folder from a copy.")
        assert words.isprintable() and len(words) < 600
        return
    again = json.loads(json.dumps(taken.to_json(), allow_nan=False).encode())
    assert SessionInfo.from_json(again) == taken
    assert str(taken.bed) and datetime.fromisoformat(taken.created_utc) and Montage.from_json(taken.montage)
    assert all(bundle is None or len(bundle["sha256"]) for bundle in taken.bundles.values())
    assert taken.source is None or isinstance(taken.source.get("kind"), str | None)


def test_all_that_a_session_knows_comes_back():
    """What is written is read, key by key."""
    assert SessionInfo.from_json(FULL).to_json() == FULL | {"clock": FULL["clock"]}
    assert set(FULL) == {"schema", *(known.name for known in fields(SessionInfo))}


def test_a_folder_without_a_session_is_refused(tmp_path):
    """An empty folder is none."""
    with pytest.raises(RecordingError, match=r"session\.json cannot be read"):
        SessionFolder.open(tmp_path)


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_what_is_no_file_of_a_folder_is_refused(tmp_path, kind):
    """Whatever stands in the place of a file is told, and never waited for."""
    folder = SessionFolder.create(tmp_path, info())
    for name in ("ledger.json", "results.jsonl", "decisions.jsonl", "recording-1.xdf"):
        no_files.put(kind, folder.path / name)
        read = {"l": folder.ledger, "r": folder.results, "d": folder.decisions}[name[0]]
        with pytest.raises(RecordingError, match=rf"{name} (cannot be read: it )?is {kind}, expected a file"):
            folder.parts() if name.endswith(".xdf") else read()
    (folder.path / "session.json").unlink()
    no_files.put(kind, folder.path / "session.json")
    assert list(known_sessions(tmp_path)) == []


def test_a_patient_who_is_known_by_a_scan_keeps_that_spelling(tmp_path):
    """The scan was scored before the first session; stray files beside it are nobody's."""
    (tmp_path / "patients" / "P-01" / "fmri").mkdir(parents=True)
    (tmp_path / "patients" / ".DS_Store").write_text("x")
    (tmp_path / "patients" / "p-02").write_text("x")
    assert scanned_patients(tmp_path) == {"P-01"}
    with pytest.raises(IdentityError, match=r"patient p-01 is already known as P-01.*Write P-01\."):
        SessionFolder.create(tmp_path, info(patient="p-01"))
    assert not any((tmp_path / "sessions").iterdir())
    assert SessionFolder.create(tmp_path, info(patient="P-01")).info.patient == "P-01"
    assert (
        SessionFolder.create(tmp_path, info(patient="P-02", bed="B2", session=new_session_id())).info.patient == "P-02"
    )


def test_a_score_that_was_refused_keeps_no_other_out(tmp_path):
    """Of the same scan and bundle, made again: both are written, each once."""
    folder = SessionFolder.create(tmp_path, info())
    wrong, right = ({"scan_sha256": "ef", "bundle_sha256": "ab", "logit": logit} for logit in (None, 0.5))
    assert folder.append_result(wrong) and folder.append_result(right) and not folder.append_result(right)
    assert folder.results() == [wrong, right]


def test_broken_lines_and_ledgers_are_refused(tmp_path):
    """A line in the middle of the results, or a ledger, that is not JSON is said with its file."""
    folder = SessionFolder.create(tmp_path, info())
    (folder.path / "results.jsonl").write_bytes(b"rubbish\n{}\n")
    (folder.path / "ledger.json").write_bytes(b"rubbish")
    with pytest.raises(RecordingError, match=r"results\.jsonl has a line that is not JSON"):
        folder.results()
    (folder.path / "results.jsonl").write_bytes(b"[" * 100_000 + b"]" * 100_000 + b"\n")
    with pytest.raises(RecordingError, match=r"results\.jsonl has a line that is not JSON: maximum recursion"):
        folder.results()
    (folder.path / "results.jsonl").write_bytes(b"7\n")
    with pytest.raises(RecordingError, match=r"results\.jsonl has a line that is no object"):
        folder.results()
    for content in (b"rubbish", b"[" * 100_000):
        (folder.path / "ledger.json").write_bytes(content)
        with pytest.raises(RecordingError, match=r"ledger\.json cannot be read"):
            folder.ledger()
