"""The cues at a bed: what the patient was shown is in the recording and in every window, to the sample."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import load_montage
from acquisition.paradigm import PHASES, ParadigmPlan
from acquisition.parts import PartWriter
from acquisition.session import SessionFolder
from acquisition.simulator import Patient, render
from tests.conformance.commanding import Running, await_that, clean_environment

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(300)]

MONTAGE = load_montage("amp16")
#: Of the amplifier, and of the session.
SECONDS, MINUTES = 60.0, 0.7
#: Short enough for that, with its lengths given on the command line.
PLAN = ParadigmPlan(3.0, 1.5, 2.0, 1.0, 2.5, 4)
LENGTHS = [f"--still={PLAN.still_s}", "--preparation=1.5", "--flexion=2", "--rest=1", "--extension=2.5", "--trials=4"]
#: A marker belongs to the sample at or after its stamp; the amplifier's first stamp may be rounded differently.
WITHIN = 1
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Led:
    """A session in which the cues led a patient: its result, its folder, and what the cues say that they sent."""

    live: dict[str, Any]
    folder: SessionFolder
    cues: dict[str, Any]


@pytest.fixture(scope="module")
def amplifier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Offer a patient's signal without markers, as an amplifier does; return its source_id."""
    path, source_id = tmp_path_factory.mktemp("amplifier") / "signal.xdf", f"amplifier-{uuid.uuid4()}"
    samples = render(Patient(0.5, seed=5), PLAN, SECONDS, MONTAGE).samples
    units = ("uV",) * MONTAGE.n_channels
    header = StreamHeader("Amp", "EEG", "float32", MONTAGE.rate_hz, len(units), MONTAGE.labels, units, MONTAGE.kinds)
    with PartWriter.create(path, [header]) as writer:
        writer.append(0, samples, np.arange(len(samples)) / MONTAGE.rate_hz)
    command = [sys.executable, "-m", "tests.conformance.amplifier", str(path), "Amplifier", source_id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=REPOSITORY, env=clean_environment()) as process:
        yield source_id
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def led(
    amplifier: str,
    start: Callable[..., Running],
    free_ports: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Led:
    """Open the cues, then the session; begin when somebody records, as the page asks for."""
    folder = tmp_path_factory.mktemp("led")
    port = str(free_ports())
    cues = start(folder, "cues", "--source-id", amplifier, *LENGTHS, "--port", port, "--no-browser", "--json")
    await_that(lambda: "Page: " in cues.said(), cues)
    found = re.search(r"Page: (\S+)", cues.said())
    assert found is not None
    page = f"{found[1]}api/v1/cues"
    bedside = ("--patient", "P1", "--bed", "B1", "--source-id", amplifier, "--minutes", str(MINUTES), "--wait", "30")
    live = start(folder, "live", *bedside, "--json", "--no-browser", "--port", str(free_ports()))
    await_that(lambda: httpx.get(page, timeout=30).json()["heard"], live)
    httpx.post(f"{page}/start", timeout=30).raise_for_status()
    result = live.finish().result
    return Led(result, SessionFolder.find(folder / "data", result["session"]), cues.finish().result["cues"])


def test_the_plan_is_the_one_that_was_set(led: Led) -> None:
    """Each length and the number of trials; everything was sent, and nothing else."""
    assert led.cues["completed"] is True
    assert led.cues["counts"] == {"session-start": 1, **dict.fromkeys(PHASES, 4), "session-end": 1}


def test_every_cue_is_in_the_recording(led: Led) -> None:
    """Text and stamp as they were sent, in the order in which they were sent."""
    (part,) = led.folder.parts()
    sent = [(cue["text"], cue["stamp_s"]) for cue in led.cues["sent"]]
    assert [(marker.text, marker.stamp_s) for marker in part.markers] == sent


def test_every_window_knows_its_phases(led: Led) -> None:
    """Where each begins and how long it lasts, to the sample, as the cues' own stamps say."""
    (part,) = led.folder.parts()
    at = [(cue["text"], np.searchsorted(part.stamps, cue["stamp_s"])) for cue in led.cues["sent"]]
    spans = [(text, begin, stop) for (text, begin), (_, stop) in pairwise(at) if text in PHASES]
    assert led.live["windows"]["made"] == 3
    for score in led.live["scores"]:
        first, last = score["first_sample"], score["first_sample"] + 10_000
        inside = [
            (text, max(b, first) - first, min(s, last) - max(b, first))
            for text, b, s in spans
            if b < last and s > first
        ]
        assert [phase for phase, *_ in score["phases"]] == [phase for phase, *_ in inside]
        for (_, begin, length), (_, expected, expected_length) in zip(score["phases"], inside, strict=True):
            assert abs(begin - expected) <= WITHIN and abs(length - expected_length) <= 2 * WITHIN
    seen = [phase for score in led.live["scores"] for phase, *_ in score["phases"]]
    assert seen.count("flexion") >= 3
