"""``flexion demo`` as a newcomer runs it: its result key by key, and what its processes have loaded."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from acquisition.session import SessionFolder
from tests.conformance.commanding import LIMIT_S, Running, await_that
from tests.conformance.result_schema import check_result

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(300)]

#: 4 s of settling and four windows.
SECONDS = "45"
#: Roles that must do without the 40 MB and the second of start-up that scipy costs.
WITHOUT_SCIPY = ("scorer", "aggregator", "dashboard")


@dataclass(frozen=True)
class Demo:
    """A demonstration that has ended, and the files that its processes had mapped while it ran, by role."""

    result: dict[str, Any]
    folder: SessionFolder
    mapped: dict[str, set[str]]


@pytest.fixture(scope="module")
def demo(start, free_ports, tmp_path_factory) -> Demo:
    """Run the demonstration to its end; look into its processes once the first result is there."""
    folder = tmp_path_factory.mktemp("demo")
    port = free_ports()
    command = start(folder, "demo", "--seconds", SECONDS, "--no-browser", "--json", "--port", str(port))
    # By then every role has done all of its work at least once.
    await_that(lambda: any(_results(folder)), command)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=LIMIT_S):
        mapped = dict(_mapped(command))
    result = command.finish().result
    return Demo(result, SessionFolder.find(folder / "data", result["session"]), mapped)


def test_the_result_keeps_the_contract(demo):
    """Every key of the contract, no other, and everything in it adds up."""
    check_result(demo.result)


def test_four_windows_are_made_published_and_scored(demo):
    """45 s are 4 s of settling, four windows and the second that the end cuts."""
    result = demo.result
    assert (result["mode"], result["origin"], result["recorded"], result["replay_of"]) == (
        "demo",
        "simulated",
        True,
        None,
    )
    assert {fate: n for fate, n in result["windows"].items() if n} == {"made": 4, "published": 4, "scored": 4}
    assert [score["first_sample"] for score in result["scores"]] == [4_000, 14_000, 24_000, 34_000]
    assert result["ledger"]["received"] == 45_000 and result["ledger"]["discarded"] == {
        "settling": 4_000,
        "gap": 0,
        "partial": 0,
        "end": 1_000,
    }


def test_three_windows_are_uncalibrated(demo):
    """Calibration takes the first 30 s of settled signal: the fourth window is the first that it holds for."""
    flags = {line["index"]: line["flags"] for line in demo.folder.results() if "index" in line}
    assert flags == {0: ["uncalibrated"], 1: ["uncalibrated"], 2: ["uncalibrated"], 3: []}


def test_latency_is_that_of_the_recorded_results(demo):
    """The three figures are those of the lines of results.jsonl, which the bridge timed by its own clock."""
    seconds = sorted(line["latency_s"] for line in demo.folder.results() if "index" in line)
    assert len(seconds) == 4 and seconds[0] > 0
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
