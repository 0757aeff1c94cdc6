"""``flexion demo`` as a newcomer runs it: its result key by key, its scan, and what its processes have loaded."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from acquisition.session import SessionFolder
from inference.bundle import Bundle, resolve_bundle
from inference.fmri.record import keep
from tests.conformance.commanding import LIMIT_S, Running, await_that
from tests.conformance.result_schema import check_result

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(300)]

#: 4 s of settling, five windows and the second that the end cuts; the scan comes 20 s into the run.
SECONDS = "55"
#: Roles that must do without the 40 MB and the second of start-up that scipy costs.
WITHOUT_SCIPY = ("scorer", "aggregator", "dashboard")


@dataclass(frozen=True)
class Demo:
    """A demonstration that has ended, all that its page was told, and what its processes had mapped, by role."""

    result: dict[str, Any]
    folder: SessionFolder
    messages: list[dict[str, Any]]
    mapped: dict[str, set[str]]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of the messages of one type, in their order."""
        return [message["data"] for message in self.messages if message["type"] == kind]


@pytest.fixture(scope="module")
def demo(start, free_ports, tmp_path_factory) -> Demo:
    """Run the demonstration to its end, with a page that listens; somebody else's score lies among the patient's.

    Its processes are looked into once the first result is there: by then every role has done its work at least once.
    """
    folder, port = tmp_path_factory.mktemp("demo"), free_ports()
    command = start(folder, "demo", "--seconds", SECONDS, "--no-browser", "--json", "--port", str(port))
    await_that(lambda: any(folder.glob("data/sessions/*/decisions.jsonl")), command)
    _misplace(folder / "data", Bundle.load(resolve_bundle("cnn-shufflenet")))
    await_that(lambda: _answers(port), command)
    messages: list[dict[str, Any]] = []
    listener = threading.Thread(target=lambda: messages.extend(_messages(port)))
    listener.start()
    await_that(lambda: any(_results(folder)), command)
    mapped = dict(_mapped(command))
    result = command.finish().result
    listener.join(LIMIT_S)
    return Demo(result, SessionFolder.find(folder / "data", result["session"]), messages, mapped)


def test_the_result_keeps_the_contract(demo):
    """Every key of the contract, no other, and everything in it adds up."""
    check_result(demo.result)


def test_five_windows_are_made_published_and_scored(demo):
    """55 s are 4 s of settling, five windows and the second that the end cuts."""
    result = demo.result
    assert (result["mode"], result["origin"], result["recorded"], result["replay_of"]) == (
        "demo",
        "simulated",
        True,
        None,
    )
    assert {fate: n for fate, n in result["windows"].items() if n} == {"made": 5, "published": 5, "scored": 5}
    assert [score["first_sample"] for score in result["scores"]] == [4_000, 14_000, 24_000, 34_000, 44_000]
    assert result["ledger"]["received"] == 55_000 and result["ledger"]["discarded"] == {
        "settling": 4_000,
        "gap": 0,
        "partial": 0,
        "end": 1_000,
    }


def test_three_windows_are_uncalibrated(demo):
    """Calibration takes the first 30 s of settled signal: the fourth window is the first that it holds for."""
    flags = {line["index"]: line["flags"] for line in demo.folder.results() if "index" in line}
    assert flags == {0: ["uncalibrated"], 1: ["uncalibrated"], 2: ["uncalibrated"], 3: [], 4: []}


def test_latency_is_that_of_the_recorded_results(demo):
    """The three figures are those of the lines of results.jsonl, which the bridge timed by its own clock."""
    seconds = sorted(line["latency_s"] for line in demo.folder.results() if "index" in line)
    assert len(seconds) == 5 and seconds[0] > 0
    assert demo.result["latency_s"] == {"p50": median(seconds), "p99": seconds[-1], "max": seconds[-1]}


def test_the_folder_shows_the_same_result(demo, start):
    """``flexion sessions show`` reads what the run wrote: nothing of the result was in memory alone (law 2)."""
    shown = start(demo.folder.path.parents[2], "sessions", "show", str(demo.folder.path), "--json").finish().result
    (timing,) = shown.pop("timing")
    assert shown == demo.result
    assert abs(timing["rate_ppm"]) < 100 and abs(timing["offset_s"]) < 0.1


def test_whoever_only_scores_aggregates_or_shows_has_no_scipy(demo):
    """No library of scipy is mapped in these processes; the bridge, which filters, shows that the look can see one."""
    with_scipy = {role for role, files in demo.mapped.items() if any("/scipy/" in file for file in files)}
    assert demo.mapped.keys() >= {*WITHOUT_SCIPY, "bridge", "play"}
    assert with_scipy & set(WITHOUT_SCIPY) == set()
    assert "bridge" in with_scipy


def test_partial_turns_provisional_while_the_stream_runs(demo):
    """The number of one modality comes first, then that of both, with both parts to be seen."""
    states = [outcome["state"] for outcome in demo.told("outcome")]
    assert "PARTIAL" in states and states[-1] == "PROVISIONAL"
    assert states.index("PARTIAL") < states.index("PROVISIONAL")
    fused = next(outcome for outcome in demo.told("outcome") if outcome["state"] == "PROVISIONAL")
    assert fused["modalities"] == ["eeg_emg", "fmri"] and not fused["final"]
    assert all(part["status"] == "ok" and part["probability"] for part in fused["parts"].values())
    assert fused["parts"]["fmri"]["scanned_on"] == date.today().isoformat()
    assert fused["fusion"]["method"] == "logit_stack"
    assert all(weight["interval"][0] < weight["interval"][1] for weight in fused["fusion"]["weights"].values())


def test_somebody_else_s_scan_is_reported_and_changes_nothing(demo):
    """It is refused by name; the patient's own counts."""
    [notice] = [notice for notice in demo.told("notice") if "fMRI score" in notice["text"]]
    assert notice["text"] == "The fMRI score is of patient P-02, this session is of demo-1."
    refused = [outcome for outcome in demo.told("outcome") if outcome["parts"]["fmri"]["status"] == "refused"]
    assert all("fmri" not in outcome["modalities"] for outcome in refused)


def test_the_result_has_both_parts(demo):
    """The folder holds the scan's score beside the windows' results (law 2)."""
    assert demo.result["outcome"]["modalities"] == ["eeg_emg", "fmri"]
    assert demo.result["bundles"]["fmri"]["name"] == "cnn-shufflenet"


def _results(folder: Path) -> Iterator[dict[str, Any]]:
    for path in folder.glob("data/sessions/*/results.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield json.loads(line)


def _mapped(command: Running) -> Iterator[tuple[str, set[str]]]:
    """Yield each role and the files that its process has mapped."""
    for pid in command.children():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if "deploy" in words:
            lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
            yield words[words.index("deploy") + 1], {line.split(maxsplit=5)[-1] for line in lines}


def _misplace(data: Path, bundle: Bundle) -> None:
    """Put the score of patient P-02 among those of the demonstration's patient, newer than any of its own."""
    values = {
        "patient": "P-02",
        "scan_sha256": "f" * 64,
        "scanned_on": (date.today() + timedelta(days=1)).isoformat(),
        "bundle_sha256": bundle.sha256,
        "logit": 5.0,
        "quality": {"slices": 20, "problems": []},
    }
    keep(data, "demo-1", "f" * 64, bundle.sha256, {"score.json": json.dumps(values).encode()})


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=LIMIT_S):
            return True
    except OSError:
        return False


def _messages(port: int) -> Iterator[dict[str, Any]]:
    """Yield what the bed's page is told until the run ends: entries, those of a snapshot one by one."""
    url = f"http://127.0.0.1:{port}/api/v1/beds/demo-1/events"
    try:
        with urllib.request.urlopen(url, timeout=LIMIT_S) as stream:
            for line in stream:
                if line.startswith(b"data:"):
                    message = json.loads(line[5:])
                    yield from message["data"]["entries"] if message["type"] == "snapshot" else [message]
    except OSError:  # the dashboard has ended
        return
