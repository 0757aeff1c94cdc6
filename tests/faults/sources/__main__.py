"""``python -m tests.faults.sources --runs 50 --side 6``: the fault table many times over, a line for each row.

Exit code 1 when a row failed even once; the logs of rows that failed are kept.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from streaming.server import PrivateServer
from tests.streaming.bridging import scoring

from .rows import TABLE
from .side import Outcome, play_rows


def main() -> int:
    """Play the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1, help="how often the table is played")
    parser.add_argument("--side", type=int, default=6, help="rows at a time")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(TABLE)}; all by default")
    asked = parser.parse_args()
    unknown = set(asked.rows) - set(TABLE)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    names = (asked.rows or list(TABLE)) * asked.runs
    folder = Path(tempfile.mkdtemp(prefix="flexion-faults-"))
    begun_s = time.monotonic()
    with PrivateServer(folder / "redis", allow_bundled=True) as server, scoring(server.url):
        outcomes = list(_followed(play_rows(names, server.url, folder, asked.side)))
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for name in dict.fromkeys(names):
        print(_line(name, [outcome for outcome in outcomes if outcome.name == name]))
    print(f"{len(outcomes) - len(failed)} of {len(outcomes)} passed in {time.monotonic() - begun_s:.0f} s")
    if failed:
        print("Logs of what failed:", *(outcome.log for outcome in failed), sep="\n  ")
        return 1
    shutil.rmtree(folder)
    return 0


def _followed(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    """Say at once what failed, and keep nothing of what did not."""
    for outcome in outcomes:
        if outcome.passed:
            shutil.rmtree(outcome.log.parent)
        else:
            print(f"failed: {outcome.name} ({outcome.log})\n{outcome.tail}", flush=True)
        yield outcome


def _line(name: str, outcomes: list[Outcome]) -> str:
    passed = sum(outcome.passed for outcome in outcomes)
    slowest_s = max(outcome.seconds for outcome in outcomes)
    return f"{name:34} {passed:3} of {len(outcomes):3}   slowest {slowest_s:5.1f} s"


if __name__ == "__main__":
    raise SystemExit(main())
