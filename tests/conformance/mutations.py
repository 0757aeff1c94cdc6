"""Recordings broken on purpose: cut, flipped, extended, doubled, spliced; each is read or refused with words (law 10).

``python -m tests.conformance.mutations --count 100000`` runs them in child processes with limits: one case may take 1 s
of CPU and 256 MB of memory, and only errors of our own may leave. Each case follows from seed and number alone, so that
``--first N --count 1`` runs it again.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.errors import FlexionError
from acquisition.formats import xdf_writer
from acquisition.formats.text import write_table
from acquisition.formats.text_rows import Dialect
from acquisition.formats.xdf import read_xdf
from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.formats.xdf_repair import repair
from acquisition.inspection import inspect
from acquisition.recording import read_streams
from tests.conftest import SHARED_DATA

#: What one case may take.
LIMIT_S, LIMIT_BYTES = 1.0, 256 << 20
#: A case that takes this much CPU is killed: what it does cannot be interrupted otherwise.
KILL_S = 3
#: Cases of one child.
CASES_PER_CHILD = 5_000
#: Of a real recording so much is taken: headers and some chunks, so that a case takes milliseconds; and in one case of
#: a hundred as much as a few minutes have.
HEAD_BYTES, LONG_BYTES, LONG_SHARE = 12_000, 400_000, 0.01
#: Share of XDF files of which a sound copy is made and read.
REPAIRED = 0.1
#: Failures after which a child gives up.
MAX_FAILURES = 10
#: Numbers that readers stumble over.
ODD = [
    0,
    1,
    2,
    4,
    8,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    0x7FFFFFFFFFFFFFFF,
    2**64 - 1,
]


@dataclass(frozen=True)
class Source:
    """A recording that is going to be broken."""

    name: str
    content: bytes
    is_long: bool = False

    @property
    def suffix(self) -> str:
        """Its ending, by which it is read."""
        return Path(self.name).suffix


@dataclass
class Tally:
    """What became of the cases."""

    cases: int = 0
    read: int = 0
    samples: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: str = ""
    peak_bytes: int = 0
    failures: list[str] = field(default_factory=list)

    def add(self, other: dict[str, Any]) -> None:
        """Add a child's."""
        self.cases, self.read, self.samples = (getattr(self, k) + other[k] for k in ("cases", "read", "samples"))
        self.refused.update(other["refused"])
        if other["slowest_s"] > self.slowest_s:
            self.slowest_s, self.slowest = other["slowest_s"], other["slowest"]
        self.peak_bytes = max(self.peak_bytes, other["peak_bytes"])
        self.failures += other["failures"]


def sources(shared: Path | None) -> list[Source]:
    """Return what is broken: recordings made here, and the beginnings of real ones where they are at hand."""
    found = [*_made_xdf(), *_made_tables()]
    if shared is not None:
        for path in sorted([*shared.rglob("*.xdf"), *shared.rglob("*.txt"), *shared.rglob("*.csv")]):
            with open(path, "rb") as file:
                content = file.read(LONG_BYTES)
            found.append(Source(path.name, content[:HEAD_BYTES]))
            found += [Source(path.name, content, is_long=True)] * (len(content) > HEAD_BYTES)
    return found


def drawn(rng: np.random.Generator, all_sources: list[Source]) -> Source:
    """Return one of them."""
    is_long = rng.random() < LONG_SHARE
    fitting = [source for source in all_sources if source.is_long == is_long] or all_sources
    return fitting[rng.integers(len(fitting))]


def mutated(rng: np.random.Generator, broken: Source, all_sources: list[Source]) -> bytes:
    """Return its bytes, changed one to three times."""
    content = broken.content
    for _ in range(rng.integers(1, 4)):
        content = CHANGES[rng.integers(len(CHANGES))](rng, content, all_sources)
    return content


def said(rng: np.random.Generator, source: Source) -> dict[str, Any]:
    """Return what a user says about a table, so that it is not refused for what it leaves open."""
    if source.suffix == ".xdf":
        return {}
    answers: dict[str, Any] = {"unit": "uV", "rate_hz": float(rng.choice([125.0, 250.0, 1000.0]))}
    if rng.random() < 0.3:
        answers["labels"] = [f"c{n}" for n in range(rng.choice([1, 2, 5, 9, 12]))]
    if rng.random() < 0.2:
        answers["dialect"] = Dialect(markers="1", times="none" if rng.random() < 0.5 else "2")
    if rng.random() < 0.2:
        answers["counter"] = ("c0", 256)
    return answers if rng.random() < 0.9 else {}


def run_case(number: int, seed: int, all_sources: list[Source], folder: Path, tally: Tally) -> None:
    """Break one recording and read it."""
    rng = np.random.default_rng((seed, number))
    source = drawn(rng, all_sources)
    path = folder / f"case{source.suffix}"
    path.write_bytes(mutated(rng, source, all_sources))
    answers = said(rng, source)
    begun_s = time.process_time()
    try:
        for recording in read_streams(path, **answers):
            seen = inspect(recording)
            taken = sum(s.n_samples for s in seen.segments) + sum(seen.rejected.values())
            assert taken == len(recording.stamps), f"{taken} of {len(recording.stamps)} samples accounted for"
            tally.samples += taken
        tally.read += 1
        if source.suffix == ".xdf" and rng.random() < REPAIRED:
            check_repair(path)
    except FlexionError as error:
        tally.refused[error.kind] += 1
        assert path.name in str(error), str(error)
    took_s = time.process_time() - begun_s
    if took_s > tally.slowest_s:
        tally.slowest_s, tally.slowest = took_s, f"case {number}, {source.name}"
    assert took_s < LIMIT_S, f"took {took_s:.2f} s"


def check_repair(path: Path) -> None:
    """A sound copy has the samples of the file, and nothing to complain of."""
    copy = path.with_name("copy.xdf")
    copy.unlink(missing_ok=True)
    file = repair(path, copy)
    if file.problems:
        again = read_xdf(copy)
        counts = [[len(stream.stamps) for stream in read.streams] for read in (file, again)]
        assert counts[0] == counts[1] and not again.problems, f"{counts}, {again.problems}"


def run_child(first: int, count: int, seed: int, shared: Path | None, mark: Path) -> Tally:
    """Run cases under limits; `mark` holds the number of the case under way, for whoever finds this process dead."""
    all_sources, tally = sources(shared), Tally()
    warnings.simplefilter("error", RuntimeWarning)
    with tempfile.TemporaryDirectory() as name, open(mark, "r+b") as file, mmap.mmap(file.fileno(), 8) as now:
        folder = Path(name)
        for number in range(30):  # what is imported or allocated once does not count
            _attempt(-1 - number, seed + 1, all_sources, folder, Tally())
        base_bytes = _limit_memory()
        for number in range(first, first + count):
            now[:] = struct.pack("<q", number)
            _limit_cpu()
            _attempt(number, seed, all_sources, folder, tally)
            tally.cases += 1
            if len(tally.failures) >= MAX_FAILURES:
                break
        tally.peak_bytes = max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - base_bytes)
    return tally


def run(count: int, seed: int, shared: Path | None, *, first: int = 0, tell: Callable[[str], None] = print) -> Tally:
    """Run cases in children, one after the other, and return what became of them."""
    tally = Tally()
    with tempfile.NamedTemporaryFile() as mark:
        mark.write(struct.pack("<q", -1))
        mark.flush()
        for begin in range(first, first + count, CASES_PER_CHILD):
            n = min(CASES_PER_CHILD, first + count - begin)
            command = [sys.executable, "-m", "tests.conformance.mutations", "--child", mark.name, "--seed", str(seed)]
            command += ["--first", str(begin), "--count", str(n), "--shared", str(shared or os.devnull)]
            # One thread: what others reserve would count as memory.
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, capture_output=True, text=True, env=environment)
            if done.returncode == 0:
                tally.add(json.loads(done.stdout))
            else:
                number = struct.unpack("<q", Path(mark.name).read_bytes())[0]
                tally.failures.append(f"case {number}: the process died with {done.returncode}: {done.stderr[-500:]}")
            tell(f"{begin + n - first} cases, {len(tally.failures)} failures")
    return tally


def _attempt(number: int, seed: int, all_sources: list[Source], folder: Path, tally: Tally) -> None:
    try:
        run_case(abs(number), seed, all_sources, folder, tally)
    except Exception as error:  # whatever is not ours is the finding
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        tally.failures.append(f"case {number}: {type(error).__name__} at {where}: {error}")


def _limit_memory() -> int:
    """Allow `LIMIT_BYTES` more than there are now; return what is resident now."""
    pages = [int(word) for word in Path("/proc/self/statm").read_text().split()]
    limit = pages[0] * resource.getpagesize() + LIMIT_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _limit_cpu() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + KILL_S, hard))


def _cut(rng: np.random.Generator, content: bytes, _: list[Source]) -> bytes:
    return content[: rng.integers(len(content) + 1)]


def _flip(rng: np.random.Generator, content: bytes, _: list[Source]) -> bytes:
    """Change single bits, or write a number that readers stumble over."""
    changed = bytearray(content)
    for _ in range(rng.integers(1, 9) if changed else 0):
        place = rng.integers(len(changed))
        if rng.random() < 0.6:
            changed[place] ^= 1 << rng.integers(8)
        else:
            width = int(rng.choice([1, 2, 4, 8]))
            number = ODD[rng.integers(len(ODD))] & ((1 << 8 * width) - 1)
            changed[place : place + width] = number.to_bytes(width, "little")
    return bytes(changed)


def _extend(rng: np.random.Generator, content: bytes, _: list[Source]) -> bytes:
    place = rng.integers(len(content) + 1) if rng.random() < 0.5 else len(content)
    more = rng.bytes(rng.integers(1, 200)) if rng.random() < 0.7 else bytes(rng.integers(1, 2000))
    return content[:place] + more + content[place:]


def _double(rng: np.random.Generator, content: bytes, _: list[Source]) -> bytes:
    """Put a stretch of it somewhere once or many times."""
    start, stop = sorted(rng.integers(len(content) + 1, size=2))
    place = rng.integers(len(content) + 1)
    times = int(rng.choice([1, 1, 2, 5]))
    return content[:place] + content[start : min(stop, start + 4000)] * times + content[place:]


def _splice(rng: np.random.Generator, content: bytes, all_sources: list[Source]) -> bytes:
    other = drawn(rng, all_sources).content
    return content[: rng.integers(len(content) + 1)] + other[rng.integers(len(other) + 1) :]


#: What is done to a recording.
CHANGES = (_cut, _flip, _extend, _double, _splice)


def _made_xdf() -> Iterator[Source]:
    """Yield XDF files of every numeric format: stamped, unstamped, with markers, boundaries and footers."""
    rng = np.random.default_rng(0)
    cues = xdf_writer.stream_header(2, StreamHeader("cues", "Markers", STRING, 0.0, 1))
    marks = xdf_writer.texts(2, ["flexion", "Übung"], [100.05, 100.1])
    for channel_format, dtype in (
        ("float32", "<f4"),
        ("double64", "<f8"),
        ("int16", "<i2"),
        ("int64", "<i8"),
        ("int8", "i1"),
    ):
        labels, kinds = ("C3", "RF", "n"), ("EEG", "EMG", "Trigger")
        header = StreamHeader("Amp", "EEG", channel_format, 500.0, 3, labels, ("uV", "mV", None), kinds)
        values = (100 * rng.normal(size=(60, 3))).astype(dtype)
        stamps = 100 + np.arange(60) / 500
        parts = [
            xdf_writer.file_header(),
            xdf_writer.stream_header(1, header),
            cues,
            xdf_writer.clock_offset(1, 100, -1),
        ]
        parts += [xdf_writer.samples(1, header, values[k : k + 10], stamps[k : k + 10]) for k in range(0, 30, 10)]
        parts += [xdf_writer.boundary(), marks, *(_unstamped(1, row) for row in values[30:])]
        parts += [xdf_writer.stream_footer(1, 100.0, 100.118, 60), xdf_writer.stream_footer(2, 100.05, 100.1, 2)]
        yield Source(f"{channel_format}.xdf", b"".join(parts))


def _unstamped(number: int, row: Any) -> bytes:
    return xdf_writer.chunk(xdf_writer.SAMPLES, struct.pack("<IBBB", number, 1, 1, 0) + row.tobytes())


def _made_tables() -> Iterator[Source]:
    """Yield tables in several dialects."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "own.txt")
        write_table(path, rng.normal(size=(60, 4)).astype(np.float32), ["C3", "C4", "RF", "BF"], rate_hz=1000.0)
        yield Source("own.txt", path.read_bytes())
    rows = [[f"{value:.3f}" for value in row] for row in rng.normal(size=(60, 5))]
    commas = "\n".join(";".join(value.replace(".", ",") for value in row) for row in rows)
    yield Source("commas.csv", f"# rate_hz: 250\nC3 (uV);C4 (uV);RF (uV);BF (uV);ST (uV)\n{commas}\n".encode())
    timed = "\n".join(f"{k},{','.join(row)},{k // 20}" for k, row in enumerate(rows))
    yield Source("timed.csv", f"time,a,b,c,d,e,trigger\n{timed}\n".encode("utf-16"))
    counted = "\n".join(f"{k % 16}, {', '.join(row)}, 12:00:{k:02d}" for k, row in enumerate(rows))
    yield Source("board.txt", f"%Sample Rate = 250.0 Hz\n%EEG data in microvolts\n{counted}\n".encode())
    quoted = "\n".join(",".join([*(f'"{value}"' for value in row), '"rest, ""a"""' * (row is rows[9])]) for row in rows)
    head = '"C3","C4","RF","BF","ST","event"\nuV,uV,mV,mV,mV,\n'
    yield Source("quoted.csv", f"# rate_hz: 250\n{head}{quoted}\n".encode("cp1252"))
    channels = "\n".join(f"Channel {n}: 'M{n}', 60 values, engineering units: mV, no filters." for n in range(5))
    listed = "\n".join("\t".join(row) for row in rows)
    yield Source("logged.txt", f"File Name: x.log\n{channels}\n\n{listed}\n\t\t\t\t\n".encode())


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shared", type=Path, default=SHARED_DATA, help="folder of real recordings")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.shared = given.shared if given.shared.is_dir() else None
    if given.child:
        tally = run_child(given.first, given.count, given.seed, given.shared, given.child)
        print(json.dumps(vars(tally)))
        return
    begun_s = time.monotonic()
    tally = run(
        given.count, given.seed, given.shared, first=given.first, tell=lambda words: print(words, file=sys.stderr)
    )
    n_recordings = sum(not source.is_long for source in sources(given.shared))
    refused = ", ".join(f"{n} {kind}" for kind, n in sorted(tally.refused.items()))
    print(f"{tally.cases} mutations of {n_recordings} recordings in {time.monotonic() - begun_s:.0f} s")
    print(f"read: {tally.read} ({tally.samples} samples, every one accounted for); refused: {refused}")
    print(f"slowest: {tally.slowest_s:.3f} s of CPU ({tally.slowest}); memory: {tally.peak_bytes / 1e6:.0f} MB at most")
    print(f"failures: {len(tally.failures)}")
    for failure in tally.failures:
        print(f"  {failure}")
    sys.exit(bool(tally.failures))


if __name__ == "__main__":
    main()
