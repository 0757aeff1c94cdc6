"""``python -m tests.faults.ages``: every fault while real pages are watched, a line for each; see docs/ages.md.

Exit code 1 when an old value looked fresh, or a fresh one old; the logs are kept then.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.deploy import bundles
from tests.lsl import write_settings

from .play import SIDE, Found, play_all
from .rows import TABLE
from .skew import Skew, possible
from .stage import stage_in


def main() -> int:
    """Play the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--side", type=int, default=SIDE, help="pages at a time")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(TABLE)}; all by default")
    asked = parser.parse_args()
    unknown = set(asked.rows) - set(TABLE)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("no chromium on PATH (on Debian and Ubuntu: apt install chromium)")
    names = [name for name in asked.rows or TABLE if possible() or not TABLE[name].skewed]
    for name in set(asked.rows or TABLE) - set(names):
        print(f"{name}: left out, this machine has no C compiler", file=sys.stderr)
    folder = Path(tempfile.mkdtemp(prefix="flexion-ages-"))
    begun_s = time.monotonic()
    os.environ["LSLAPICFG"] = str(write_settings(folder / "lsl_api.cfg"))
    found = asyncio.run(_play(folder, names, chromium, asked.side))
    failed = [one for one in found if one.complaints]
    print(f"{len(found) - len(failed)} of {len(found)} passed in {time.monotonic() - begun_s:.0f} s")
    if asked.json:
        asked.json.write_text(json.dumps([to_json(one) for one in found], indent=1))
    if failed:
        print(f"Logs: {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


async def _play(folder: Path, names: Sequence[str], chromium: str, side: int) -> list[Found]:
    models = bundles.build(folder / "models")
    skew = Skew(folder) if any(TABLE[name].skewed for name in names) else None
    found = []
    async with stage_in(folder, models, chromium, skew) as stage:
        async for one in play_all(stage, names, number=True, side=side):
            print(line(one), flush=True)
            for complaint in one.complaints:
                print(f"    {complaint}", flush=True)
            found.append(one)
    return found


def line(found: Found) -> str:
    """Return a row as the table of the docs has it."""
    late = max(found.tallies.items(), key=lambda pair: pair[1].late_s, default=("", None))[0]
    well = "" if found.well_s is None else f"{found.well_s:.1f} s"
    reached = ", ".join(f"{value} {look}" for value, look in found.row.reached.items()) or "all fresh"
    verdict = "FAILED" if found.complaints else "ok"
    cells = (f"`{found.row.name}`", found.row.words, reached, f"{found.late_s:.1f} s ({late})", well, verdict)
    return f"| {' | '.join(cells)} |"


def to_json(found: Found) -> Mapping[str, object]:
    """Return all figures of a row."""
    tallies = {
        value: dataclasses.asdict(tally) | {"looks": sorted(tally.looks)} for value, tally in found.tallies.items()
    }
    return {
        "row": found.row.name,
        "words": found.row.words,
        "well_s": found.well_s,
        "complaints": found.complaints,
        "values": tallies,
    }


if __name__ == "__main__":
    sys.exit(main())
