"""Recorded sessions: what their folder says, their traces through the very chain, their outcome after each window."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from acquisition.chain import Chain, drive
from acquisition.identity import new_session_id
from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from acquisition.tape import tape_of_folder
from dashboard import retraced
from dashboard.jobs import Stopped
from dashboard.retraced import MAX_BYTES
from dashboard.settings import DashboardSettings
from streaming.waves import WaveFrame
from tests import no_files
from tests.dashboard.conftest import SOON_S, serving
from tests.dashboard.recorded import SESSION, info, record

API = f"/api/v1/sessions/{SESSION}"
#: Lost between the second window and the next segment.
HOLE = (26_000, 27_000)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of a session of 45 s with a hole, read by every test and changed by none."""
    data = tmp_path_factory.mktemp("data")
    record(data, 45.0, HOLE)
    return data


@pytest.fixture
def data(recorded: Path, settings: DashboardSettings) -> Path:
    """Return a copy of it as the dashboard's own."""
    shutil.copytree(recorded, settings.data_dir, dirs_exist_ok=True)
    return settings.data_dir


def folder_of(data: Path) -> Path:
    """Return the folder of the session."""
    return data / "sessions" / SESSION


def made(client: httpx.Client, path: str) -> httpx.Response:
    """Ask until the answer is made; what is not, says how far it is."""
    until = time.monotonic() + 3 * SOON_S
    while (answer := client.get(path)).status_code == 202:
        assert 0.0 <= answer.json()["share"] <= 1.0
        assert time.monotonic() < until
        time.sleep(0.05)
    return answer


def frames_of(content: bytes) -> list[WaveFrame]:
    """Return the frames that stand one after the other."""
    frames = []
    while content:
        n_samples, n_channels = np.frombuffer(content[4:8], "<u2")
        size = 40 + 2 * int(n_samples) * int(n_channels)
        frames.append(WaveFrame.decode(content[:size]))
        content = content[size:]
    return frames


def test_a_session_says_what_became_of_it(client: httpx.Client, data: Path) -> None:
    """Facts, notes, counts, the last outcome and the hash over all windows."""
    body = client.get(API).json()
    assert (body["info"]["patient"], body["ended"], body["in_error"]) == ("P-017", True, False)
    assert body["windows"] == {"results": 3, "scored": 3}
    assert body["notes"][0]["text"] == "patient tired"
    assert (body["outcome"]["state"], body["lack"], body["problems"]) == ("PARTIAL", "", [])
    assert body["no_traces"] is None
    assert len(body["digest"]) == 64


def test_the_outcome_as_it_was_after_each_window(client: httpx.Client, data: Path) -> None:
    """Collecting after the first window, a number from the second on; the same in columns and in rows."""
    rows = client.get(f"{API}/windows").json()
    assert [row["outcome"]["state"] for row in rows["windows"]] == ["COLLECTING", "PARTIAL", "PARTIAL"]
    assert "embedding" not in rows["windows"][0]
    columns = client.get(f"{API}/course").json()
    assert columns["index"] == [0, 1, 2]
    assert columns["outcomes"]["state"] == ["COLLECTING", "PARTIAL", "PARTIAL"]
    assert columns["p"] == [row["p"] for row in rows["windows"]]


def test_windows_come_in_pages(client: httpx.Client, data: Path) -> None:
    """A session of 10,000 windows is read a page at a time."""
    lines = (folder_of(data) / "results.jsonl").read_text().splitlines()
    whole = [json.loads(lines[0]) | {"index": i, "first_sample": 4_000 + 10_000 * i} for i in range(130)]
    (folder_of(data) / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in whole))
    page = client.get(f"{API}/windows?first=120&n=200").json()
    assert (page["total"], [row["index"] for row in page["windows"]]) == (130, list(range(120, 130)))
    assert page["windows"][0]["outcome_at"] == 120
    assert client.get(f"{API}/windows?n=201").status_code == 422


def test_traces_are_those_of_the_chain(client: httpx.Client, data: Path) -> None:
    """Sample for sample what a live frame would have held; nothing where samples were lost (laws 1 and 4)."""
    signal = made(client, f"{API}/signal").json()
    assert signal["spans"] == [[0, 0, 26_000], [1, 27_000, 45_000]]
    assert [segment["first_sample"] for segment in signal["segments"]] == [0, 27_000]
    assert {marker["phase"] for marker in signal["markers"]} >= {"preparation", "flexion"}
    assert [(w["index"], w["first_sample"]) for w in signal["windows"]] == [(0, 4_000), (1, 14_000), (2, 31_000)]
    assert signal["same_chain"]
    frames = frames_of(client.get(f"{API}/wave?from=20000&to=30000").content)
    assert [(f.segment, f.first_sample, len(f.steps)) for f in frames] == [(0, 20_000, 6_000), (1, 27_000, 3_000)]
    folder = SessionFolder.find(data, SESSION)
    chain = Chain(load_montage("amp16"), 50.0)
    traces = [traces for step in drive(chain, tape_of_folder(folder, 777)) for traces in step.traces]
    x_uv = np.concatenate([t.x_uv for t in traces if t.segment == 0])[20_000:26_000]
    expected = WaveFrame.from_uv(x_uv, segment=0, first_sample=20_000, stamp_s=0.0)
    assert np.array_equal(frames[0].steps, expected.steps)


def test_an_envelope_keeps_every_extreme_and_every_hole(client: httpx.Client, data: Path) -> None:
    """The least and greatest of each column; a column without samples has none (law 4)."""
    made(client, f"{API}/signal")
    content = client.get(f"{API}/wave?from=24000&to=30000&px=7").content
    assert content[:4] == b"FXC1"
    least, greatest = np.frombuffer(content, "<i2", offset=32).reshape(2, 7, 16)
    edges = [24_000 + -(-i * 6_000 // 7) for i in range(8)]
    for i in range(7):
        frames = frames_of(client.get(f"{API}/wave?from={edges[i]}&to={edges[i + 1]}").content)
        if not frames:
            assert (least[i] > greatest[i]).all()
            continue
        steps = np.concatenate([frame.steps for frame in frames])
        assert np.array_equal(least[i], steps.min(axis=0))
        assert np.array_equal(greatest[i], steps.max(axis=0))
    # A column narrower than the hole lies in it whole.
    least, greatest = np.frombuffer(
        client.get(f"{API}/wave?from=26200&to=26300&px=10").content, "<i2", offset=32
    ).reshape(2, 10, 16)
    assert (least > greatest).all()


def test_what_was_made_is_kept_and_what_is_spoiled_is_made_again(client: httpx.Client, data: Path) -> None:
    """The cache is safe to delete, and a torn file of it is not believed."""
    made(client, f"{API}/signal")
    cache = data / "cache" / SESSION
    (kept,) = cache.glob("*.json")
    before = client.get(f"{API}/wave?from=0&to=100").content
    shutil.rmtree(cache)
    os.utime(folder_of(data) / "decisions.jsonl")  # another key, so that what is at hand is not used
    assert made(client, f"{API}/wave?from=0&to=100").content == before
    (kept,) = cache.glob("*.json")
    os.utime(folder_of(data) / "decisions.jsonl")
    made(client, f"{API}/signal")
    assert not kept.exists(), "of an older key"
    (kept,) = cache.glob("*.json")
    kept.write_text("{")
    with httpx.Client(base_url=client.base_url) as other:
        assert made(other, f"{API}/wave?from=0&to=100").content == before


def test_measures_are_those_of_the_report(client: httpx.Client, data: Path) -> None:
    """The numbers of ``flexion sessions report``, by the same function; made once."""
    from acquisition.measures.report import report_folder

    body = made(client, f"{API}/measures").json()
    assert body == json.loads(json.dumps(report_folder(SessionFolder.find(data, SESSION)).to_json()))
    assert client.get(f"{API}/measures").status_code == 200


@pytest.mark.parametrize(
    "stretch", ["from=10&to=10", "from=0&to=60001", "from=0&to=100&px=101", "from=-1&to=5", f"from=0&to={1 << 63}&px=9"]
)
def test_a_stretch_that_is_none_or_too_long_is_refused(client: httpx.Client, data: Path, stretch: str) -> None:
    """One answer holds a minute of samples, or an envelope of one sample a column at least."""
    answer = client.get(f"{API}/wave?{stretch}")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_session_that_is_recorded_now_has_no_traces_yet(client: httpx.Client, data: Path) -> None:
    """Its bridge writes; who wants to see it looks at the bed. One that was cut off is shown."""
    (folder_of(data) / "ledger.json").unlink()
    answer = client.get(f"{API}/signal")
    os.utime(folder_of(data) / "recording-1.xdf")
    answer = client.get(f"{API}/signal")
    assert (answer.status_code, answer.json()["kind"]) == (409, "no_traces")
    assert "still being recorded" in answer.json()["detail"]
    os.utime(folder_of(data) / "recording-1.xdf", (1, 1))
    assert made(client, f"{API}/signal").status_code == 200
    assert client.get(API).json()["ended"] is False


def test_a_recording_that_is_too_long_is_refused_with_the_way_out(client: httpx.Client, data: Path) -> None:
    """Memory is bounded: the page says how to see it elsewhere, and shows everything but the traces."""
    os.truncate(folder_of(data) / "recording-1.xdf", MAX_BYTES + 1)
    answer = client.get(f"{API}/signal").json()
    assert "flexion sessions export" in answer["remedy"]
    assert client.get(API).json()["outcome"]["state"] == "PARTIAL"


def test_a_folder_without_its_recording_shows_the_rest(client: httpx.Client, data: Path) -> None:
    """Somebody moved the signal away: the windows and the outcome are still there, and it is said."""
    (folder_of(data) / "recording-1.xdf").unlink()
    assert "holds no recording" in client.get(f"{API}/signal").json()["detail"]
    assert client.get(f"{API}/windows").json()["total"] == 3
    assert "holds no recording" in client.get(API).json()["no_traces"]["detail"]


def test_a_recording_that_is_none_is_said(client: httpx.Client, data: Path) -> None:
    """What the thread finds out comes to the page as a problem, once; asked again it tries again."""
    (folder_of(data) / "recording-1.xdf").write_bytes(b"not an XDF file")
    for _ in range(2):
        answer = made(client, f"{API}/signal")
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert "recording-1.xdf" in answer.json()["detail"]


def test_torn_and_foreign_lines_are_left_out_and_said(client: httpx.Client, data: Path) -> None:
    """What can be read is shown; each thing that cannot is named (law 10)."""
    path = folder_of(data) / "results.jsonl"
    path.write_bytes(path.read_bytes() + b'not JSON\n{"index": 7}\n{"index": 8, "sqi": NaN}\n{"ind')
    (folder_of(data) / "ledger.json").write_text("[1")
    body = client.get(API).json()
    assert body["problems"] == [
        {"file": "ledger.json", "kind": "unreadable"},
        {"file": "results.jsonl", "kind": "torn"},
        {"file": "results.jsonl", "kind": "not_json", "line": 4},
        {"file": "results.jsonl", "kind": "not_json", "line": 6},
        {"file": "results.jsonl", "kind": "not_results", "n": 1},
    ]
    assert client.get(f"{API}/windows").json()["total"] == 3


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_a_file_that_the_disk_does_not_give_is_said(client: httpx.Client, data: Path, kind: str) -> None:
    """The rest is shown, and nobody waits for a pipe."""
    (folder_of(data) / "results.jsonl").unlink()
    no_files.put(kind, folder_of(data) / "results.jsonl")
    body = client.get(API).json()
    assert ({"file": "results.jsonl", "kind": "unreadable"} in body["problems"], body["windows"]) == (
        True,
        {"results": 0},
    )


def test_a_note_that_was_just_written_is_shown(client: httpx.Client, data: Path) -> None:
    """Also where no window came meanwhile: in a session that nothing scores none ever does."""
    before = client.get(API).json()["notes"]
    SessionFolder.find(data, SESSION).append_note({"text": "coughs"})
    assert client.get(API).json()["notes"] == [*before, {"text": "coughs"}]


def test_a_session_json_that_is_torn_is_a_problem(client: httpx.Client, data: Path) -> None:
    """Nothing says whose the rest is, so nothing is shown."""
    (folder_of(data) / "session.json").write_text('{"patient": "P-0')
    for path in (API, f"{API}/windows", f"{API}/signal"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["kind"]) == (422, "broken_session")


@pytest.mark.parametrize("schema", ["flexion.session/1", "flexion.session/9"])
@pytest.mark.parametrize(
    "spoiled",
    [{"bundles": ["a"]}, {"bundles": {"fmri": 7}}, {"montage": 7}, {"source": "a"}, {"rate_hz": "a"}, {"clock": 7},
     {"bed": ["a"]}, {"unit": "\ud800"}, {"versions": [[[]]]}, {"created_utc": {}}],
    ids=str,
)  # fmt: skip
def test_rubbish_in_a_session_json_is_said(client: httpx.Client, data: Path, schema: str, spoiled: Any) -> None:
    """In words, with the key; of another version nobody here knows the keys, and no page fails over them."""
    path = folder_of(data) / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **spoiled, "schema": schema}))
    for ask in (API, f"{API}/windows", f"{API}/course", f"{API}/scans/{'0' * 64}/attention.png", "/api/v1/patients"):
        answer = client.get(ask)
        assert answer.status_code < 500, (ask, answer.text)
    body = client.get(API).json()
    if schema == "flexion.session/1":
        assert body["kind"] == "broken_session" and next(iter(spoiled)) in body["detail"].replace("half", "unit"), body
    elif "unit" not in spoiled:
        assert body["outcome"] is None


def test_a_session_of_another_version_tells_no_outcome(client: httpx.Client, data: Path) -> None:
    """Its windows are told; what it is bound to cannot be known."""
    values = json.loads((folder_of(data) / "session.json").read_text())
    (folder_of(data) / "session.json").write_text(json.dumps({**values, "schema": "flexion.session/9"}))
    body = client.get(API).json()
    assert (body["outcome"], body["windows"]["results"]) == (None, 3)


def test_what_was_entered_in_error_is_nobody_s_result(client: httpx.Client, data: Path) -> None:
    """The wrong patient: kept, and no outcome and no score is shown of it."""
    with (folder_of(data) / "results.jsonl").open("a") as file:
        file.write(json.dumps({"scan_sha256": "ab", "logit": 0.4}) + "\n")
    SessionFolder.find(data, SESSION).update(entered_in_error=True)
    body = client.get(API).json()
    assert (body["in_error"], body["outcome"]) == (True, None)
    assert [scan["logit"] for scan in body["scans"]] == [None]
    rows = client.get(f"{API}/windows").json()["windows"]
    assert {(row["logit"], row["p"], row["outcome"]) for row in rows} == {(None, None, None)}
    columns = client.get(f"{API}/course").json()
    assert (columns["p"], columns["outcomes"]["state"]) == ([None] * 3, [])


def test_a_bundle_that_is_not_at_hand_is_said(client: httpx.Client, data: Path) -> None:
    """No outcome is made up with another."""
    bundles = info().bundles
    other = {**bundles["eeg_emg"], "name": "another", "sha256": "0" * 64}
    SessionFolder.find(data, SESSION).update(bundles={**bundles, "eeg_emg": other})
    body = client.get(API).json()
    assert "another 1.0.0 (000000000000), which is not at hand" in body["lack"].replace(other["version"], "1.0.0")
    assert (body["outcome"], body["digest"]) == (None, None)


def test_a_deleted_session_is_gone(client: httpx.Client, data: Path) -> None:
    """What was at hand of it is not shown any more."""
    made(client, f"{API}/signal")
    shutil.rmtree(folder_of(data))
    for path in (API, f"{API}/windows", f"{API}/signal", f"{API}/wave?from=0&to=9", f"{API}/measures"):
        answer: Any = client.get(path)
        assert (answer.status_code, answer.json()["kind"]) == (404, "unknown_session"), path
    assert not (data / "cache" / SESSION).exists(), "what was made of it is gone too"


def test_what_was_made_of_a_session_that_is_gone_goes_at_the_next_start(settings: DashboardSettings) -> None:
    """Also where nobody asks for that session any more."""
    left = settings.data_dir / "cache" / SESSION
    left.mkdir(parents=True)
    with serving(settings):
        assert not left.exists()


def test_the_oldest_of_what_is_kept_goes_when_it_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is the recordings': what can be made again has a bound."""
    monkeypatch.setattr(retraced, "MAX_KEPT_BYTES", 150)
    names = [new_session_id(1.8e9 + i) for i in range(3)]
    for i, name in enumerate(names):
        for folder in (tmp_path / "sessions" / name, tmp_path / "cache" / name):
            folder.mkdir(parents=True)
        (tmp_path / "cache" / name / "x.steps").write_bytes(bytes(70))
        os.utime(tmp_path / "cache" / name, (1000 + i, 1000 + i))
    (tmp_path / "cache" / "somebody-else-s").mkdir()
    retraced.tidy(tmp_path)
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == [*names[1:], "somebody-else-s"]


def test_what_was_made_by_half_leaves_nothing(recorded: Path, tmp_path: Path) -> None:
    """The server ends in the middle of it: no half of a file is taken for the whole."""

    def stop(share: float) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        retraced.make(SessionFolder.find(recorded, SESSION), tmp_path, stop)
    assert not [*tmp_path.iterdir()]


def test_what_another_thread_takes_away_meanwhile_weighs_nothing(tmp_path: Path) -> None:
    """Pages and the thread that makes traces tidy up at one time."""
    assert retraced._weighed(tmp_path / "gone") == (0.0, 0, tmp_path / "gone")


def test_a_disk_that_is_nearly_full_is_left_to_the_recordings(
    client: httpx.Client, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traces can wait; a recording cannot."""
    monkeypatch.setattr(retraced, "LEFT_FREE_BYTES", 1 << 60)
    answer = client.get(f"{API}/signal").json()
    assert (answer["kind"], answer["remedy"]) == ("no_traces", "Free space on that disk, and open the page again.")


def test_a_session_that_just_began_is_shown(client: httpx.Client, settings: DashboardSettings) -> None:
    """A folder with its session.json and nothing else."""
    SessionFolder.create(settings.data_dir, info())
    body = client.get(API).json()
    assert (body["windows"], body["ledger"], body["outcome"]["state"]) == ({"results": 0}, None, "COLLECTING")


def test_the_server_loads_scipy_for_nobody_who_did_not_ask() -> None:
    """Pages need no signal processing until somebody opens a session."""
    script = "import sys, dashboard.server; sys.exit(any(name in sys.modules for name in ('scipy', 'pylsl', 'mne')))"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
