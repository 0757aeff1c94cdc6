"""The supervisor killed: nothing outlives it, and its session goes on by hand from a folder with a torn end."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from acquisition.formats.xdf import read_part
from acquisition.session import SessionFolder
from deploy.cli.demo import RECOVERIES

from .checking import complaints, decided, score_again, unlike_sent
from .running import PATIENCE_S, Running, all_gone, await_sample, await_that, demo, kill

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(5 * PATIENCE_S)]

#: Planned signal of the session in s, and the sample at which all is killed.
SECONDS, CUT_AT = 30, 3_000
#: Bytes cut from the end of the recording: half a chunk of 20 samples.
TORN_BYTES = 700
#: The patient of the demonstration's first bed, as its player is told.
PATIENT = ("--seed", "1", "--recovery", str(RECOVERIES[0]))
#: Settings that a process of a run is handed.
HANDED = "FLEXION_"


@dataclass(frozen=True)
class Killed:
    """A session whose supervisor was killed."""

    folder: Path
    environment: dict[str, str]
    left: list[str]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, str]) -> Killed:
    """Kill the supervisor of a session that is a few seconds old."""
    with demo(tmp_path_factory.mktemp("demo"), models, seconds=SECONDS) as running:
        (session,) = running.sessions()
        bridge = running.child(f"bridge {session}")
        environment = {k: v for k, v in bridge.environ().items() if k.startswith(HANDED)}
        await_sample(running.redis_url, session, CUT_AT)
        processes, redis_folder = running.processes(), running.redis_folder
        names = {process.pid: " ".join(process.cmdline()) for process in processes}
        assert len(processes) == 7, names
        kill(processes[0])
        await_that(lambda: all_gone(processes), f"the end of {names}")
        shutil.rmtree(redis_folder)  # nobody is left to do it
        left = [names[process.pid] for process in processes if not all_gone([process])]
        return Killed(running.folder(session), environment, left)


def test_nothing_outlives_the_supervisor(killed: Killed) -> None:
    """Every child, the private Redis too, dies with it: no orphan holds a bed, a port or an inlet."""
    assert killed.left == []
    assert SessionFolder.open(killed.folder).ledger() is None


def test_a_session_with_a_torn_end_goes_on_by_hand(
    killed: Killed, tmp_path: Path, redis_url: str, models: Mapping[str, str]
) -> None:
    """Half a chunk at the end is cut and kept, what is lost is declared, and the plan ends the session (laws 2, 3)."""
    session, data, part = killed.folder.name, killed.folder.parents[1], killed.folder / "recording-1.xdf"
    part.write_bytes(part.read_bytes()[:-TORN_BYTES])
    torn = part.read_bytes()[read_part(part).whole_bytes :]
    variables = {**killed.environment, "FLEXION_REDIS_URL": redis_url}
    with (
        Running(tmp_path, "bridge", "--session", session, data=data, **variables) as bridge,
        Running(tmp_path, "play", "--session", session, *PATIENT, data=data, **variables),
        Running(tmp_path, "scorer", **variables),
    ):
        bridge.await_said("ended")
        assert bridge.finish() == 0, bridge.tail()
    (rescored,) = score_again(models, killed.folder)
    assert complaints(killed.folder, rescored) == []
    assert torn and (killed.folder / "recording-1.torn").read_bytes() == torn
    assert rescored["ledger"]["received"] + rescored["ledger"]["declared_lost"] == SECONDS * 1000
    (resumed,) = [d for d in decided(killed.folder, "segment") if d.part == 2]
    assert unlike_sent(killed.folder, bed=1, origins={2: resumed.data["first_sample"]}) == []
