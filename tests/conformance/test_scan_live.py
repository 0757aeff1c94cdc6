"""A scan and a running session: the number of one alone, then of both, either way round; and what is refused."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import Bundle, resolve_bundle
from inference.fmri.record import keep
from tests.conformance.commanding import LIMIT_S, await_that
from tests.conformance.result_schema import check_result
from tests.deploy import bundles
from tests.deploy.recordings import write_xdf
from tests.inference import tiny
from tests.inference.fmri import standin

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(300)]

#: 4 s of settling and five windows; the scan comes 20 s into the run.
SECONDS = "55"


@dataclass(frozen=True)
class Demo:
    """A demonstration that has ended, and all that its page was told."""

    result: dict[str, Any]
    messages: list[dict[str, Any]]

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of the messages of one type, in their order."""
        return [message["data"] for message in self.messages if message["type"] == kind]


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> dict[str, str]:
    """Return the variables that name the three bundles."""
    return bundles.build(tmp_path_factory.mktemp("bundles"), scans=True)


@pytest.fixture(scope="module")
def demo(start, free_ports, tmp_path_factory) -> Demo:
    """Run the demonstration to its end, with a page that listens; somebody else's score lies among the patient's.

    The bundles are those that ship.
    """
    folder, port = tmp_path_factory.mktemp("demo"), free_ports()
    arguments = ("demo", "--seconds", SECONDS, "--no-browser", "--json", "--port", str(port))
    command = start(folder, *arguments)
    await_that(lambda: any(folder.glob("data/sessions/*/decisions.jsonl")), command)
    _misplace(folder / "data", Bundle.load(resolve_bundle("cnn-shufflenet")))
    await_that(lambda: _answers(port), command)
    messages: list[dict[str, Any]] = []
    listener = threading.Thread(target=lambda: messages.extend(_messages(port)))
    listener.start()
    result = command.finish().result
    listener.join(LIMIT_S)
    return Demo(result, messages)


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
    check_result(demo.result)
    assert demo.result["outcome"]["modalities"] == ["eeg_emg", "fmri"]
    assert demo.result["bundles"]["fmri"]["name"] == "cnn-shufflenet"


@pytest.fixture(scope="module")
def place(start, tmp_path_factory, named) -> Path:
    """Return a folder with a recording of 40 s, whose data hold the scored scan of patient P-01."""
    folder = tmp_path_factory.mktemp("first")
    write_xdf(folder / "patient.xdf", 40.0)
    scan = standin.scan(folder / "sub-1_bold.nii.gz")
    whose = ("--patient", "P-01", "--date", date.today().isoformat())
    scored = start(folder, "fmri", "score", str(scan), *whose, "--json", **named).finish().object
    assert scored["probability"] is not None
    return folder


@pytest.mark.parametrize("verb", [("replay", "--speed", "max"), ("score",)], ids=["replayed", "scored"])
def test_the_scan_may_come_first(start, place, named, verb):
    """Whether through Redis or in one process: the outcome of both."""
    name, *options = verb
    result = start(place, name, "patient.xdf", *options, "--patient", "P-01", "--json", **named).finish().result
    outcome = result["outcome"]
    assert (outcome["state"], outcome["modalities"]) == ("PROVISIONAL", ["eeg_emg", "fmri"])


def test_a_fusion_of_other_models_is_refused_with_that_reason(start, place, named, tmp_path):
    """Then the number is the windows' alone, and what is missing is the fusion."""
    eeg_emg = Bundle.load(Path(named["FLEXION_MODELS__EEG_EMG"]))
    other = tiny.fused(tmp_path / "other", eeg_emg, standin.build(tmp_path / "another", version="9.0.0"))
    variables = {**named, "FLEXION_MODELS__FUSION": str(other.path)}
    whose = ("--patient", "P-01", "--json")
    outcome = start(place, "score", "patient.xdf", *whose, **variables).finish().result["outcome"]
    assert (outcome["state"], outcome["modalities"]) == ("PARTIAL", ["eeg_emg"])
    [missing] = outcome["missing"]
    assert missing["modality"] == "fusion" and "was fitted on fmri" in missing["reason"]
    assert outcome["parts"]["fmri"]["status"] == "ok" and outcome["parts"]["fmri"]["probability"] is not None


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
