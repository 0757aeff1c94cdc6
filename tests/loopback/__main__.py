"""``python -m tests.loopback --runs 100``: every test that hears real LSL streams, many times over.

Each run is a pytest of its own, alone on its LSL network, a few beside each other. A line for each run, then how often
each test failed; exit code 1 when one failed even once, and the logs of such runs are kept.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

#: Seconds that one run may take on a busy machine.
RUN_S = 1800.0
_PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "loopback"]


@dataclass(frozen=True)
class Run:
    """One run of the suite: its number, exit code, last line, failed tests, time, and what it said."""

    number: int
    code: int
    last: str
    failed: tuple[str, ...]
    seconds: float
    log: Path


def main() -> int:
    """Run the suite, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how often")
    parser.add_argument("--side", type=int, default=3, help="runs at a time")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="flexion-loopback-"))
    tests = _collect(folder)
    begun_s = time.monotonic()
    failures: Counter[str] = Counter()
    bad: list[Run] = []
    slowest_s = 0.0
    with ThreadPoolExecutor(asked.side) as pool:
        running = [pool.submit(_run, number, tests, folder) for number in range(1, asked.runs + 1)]
        for done in as_completed(running):
            run = done.result()
            print(f"run {run.number}: {run.last}", flush=True)
            failures.update(run.failed)
            slowest_s = max(slowest_s, run.seconds)
            bad += [run] if run.code else []
    minutes = (time.monotonic() - begun_s) / 60
    print(f"{asked.runs - len(bad)} of {asked.runs} runs green in {minutes:.1f} min, the slowest {slowest_s:.0f} s")
    for name, n in failures.most_common():
        print(f"{n} times failed: {name}")
    if bad:
        print("Logs of what failed:", *(run.log for run in bad), sep="\n  ")
        return 1
    shutil.rmtree(folder)
    return 0


def _collect(folder: Path) -> Path:
    """Return a file that names the tests, so that no run need look through all of them."""
    found = subprocess.run([*_PYTEST, "--collect-only"], capture_output=True, text=True, check=True)
    names = [line for line in found.stdout.splitlines() if "::" in line]
    print(f"{len(names)} tests", flush=True)
    path = folder / "tests"
    path.write_text("\n".join(names), encoding="utf-8")
    return path


def _run(number: int, tests: Path, folder: Path) -> Run:
    log = folder / f"run-{number}.log"
    begun_s = time.monotonic()
    with log.open("wb") as said:
        try:
            command = [*_PYTEST, f"--basetemp={folder / f'run-{number}'}", f"@{tests}"]
            code = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, timeout=RUN_S).returncode
        except subprocess.TimeoutExpired:
            code = -1
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = tuple(found[1] for line in lines if (found := re.match(r"(?:FAILED|ERROR) (\S+::.*?)(?: - |$)", line)))
    last = next((line for line in reversed(lines) if re.search(r" in \d", line)), f"no end within {RUN_S:.0f} s")
    run = Run(number, code, last, failed, time.monotonic() - begun_s, log)
    shutil.rmtree(folder / f"run-{number}", ignore_errors=True)
    return run


if __name__ == "__main__":
    raise SystemExit(main())
