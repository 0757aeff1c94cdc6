"""The whole path, as a person starts it: demo, score and replay of one session give the same scores (law 1)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.deploy.conftest import FLEXION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
#: Real seconds in which a run of half a minute of signal must be over on a loaded machine.
PATIENCE_S = 240


def scores_of(done) -> tuple[dict, list[float]]:
    """Return the result and its logits."""
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    return result, [score["logit"] for score in result["scores"]]


def test_demo_score_and_replay_agree(flexion, bundle_variables, free_port):
    """The same samples and decisions give the same bits: live, in process, at any speed."""
    port = ("--no-browser", "--port", str(free_port), "--json")
    live, logits = scores_of(flexion("demo", "--seconds", "26", *port, timeout=PATIENCE_S, **bundle_variables))
    assert live["windows"]["made"] == len(logits) == 2
    assert (live["mode"], live["origin"], live["recorded"]) == ("demo", "simulated", True)
    assert live["latency_s"]["max"] > 0
    session = live["session"]
    scored, offline = scores_of(flexion("score", session, "--json", **bundle_variables))
    fast, fastest = scores_of(
        flexion("replay", session, "--speed", "max", "--json", timeout=PATIENCE_S, **bundle_variables)
    )
    again, streamed = scores_of(
        flexion("replay", session, "--speed", "4", *port, timeout=PATIENCE_S, **bundle_variables)
    )
    assert logits == offline == fastest == streamed
    assert live["ledger"] == scored["ledger"] == fast["ledger"] == again["ledger"]
    assert fast["replay_of"] == again["replay_of"] == session
    shown = json.loads(flexion("sessions", "show", session, "--json", **bundle_variables).stdout)
    assert shown == live


def test_a_demo_survives_its_processes(bundle_variables, free_port, tmp_path):
    """Each is killed once; every sample and every window is accounted for, and Ctrl-C ends it cleanly (laws 3, 5)."""
    environment = {**os.environ, **bundle_variables, "FLEXION_DATA_DIR": str(tmp_path)}
    command = [str(FLEXION), "demo", "--no-browser", "--json", "--port", str(free_port)]
    errors = tmp_path / "stderr"
    with errors.open("w") as stderr:
        demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment)
    try:
        await_results(tmp_path, 1)
        for role in ("deploy scorer", "deploy aggregator", "redis-server", "deploy bridge"):
            os.kill(child_of(demo.pid, role), signal.SIGKILL)
            time.sleep(1.0)  # each is to die on its own, not all at once
        await_results(tmp_path, 2)
        demo.send_signal(signal.SIGINT)
        out, _ = demo.communicate(timeout=PATIENCE_S)
    finally:
        demo.kill()
    assert demo.returncode == 0, errors.read_text()
    result = json.loads(out)
    windows = result["windows"]
    assert windows["made"] == windows["scored"] + windows["not_scored"] >= 2
    assert windows["dead_lettered"] == 0
    assert result["ledger"]["balanced"]
    assert not [pid for pid in processes() if str(tmp_path) in processes()[pid]]


def child_of(parent: int, words: str) -> int:
    """Return the child whose command has these words."""
    for pid, command in processes().items():
        if words in command and parent_of(pid) == parent:
            return pid
    raise AssertionError(f"{parent} has no child {words!r}")


def parent_of(pid: int) -> int:
    """Return the parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def processes() -> dict[int, str]:
    """Return the command line of every process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found[int(path.parent.name)] = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def await_results(data: Path, n: int) -> None:
    """Wait until the session has so many results."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        lines = [path.read_bytes().count(b"\n") for path in data.glob("sessions/*/results.jsonl")]
        if sum(lines) >= n:
            return
        time.sleep(0.1)
    raise AssertionError(f"no {n} results within {PATIENCE_S} s")
