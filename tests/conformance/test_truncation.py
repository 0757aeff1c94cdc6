"""Real XDF files cut at any byte: every whole chunk before the cut comes back, and nothing else (laws 2 and 10).

What is whole is counted by a walker of its own, from the format's specification; pyxdf is no oracle, as it returns an
invented sample where a file is cut inside the last row of a chunk.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from acquisition.errors import RecordingError
from acquisition.formats.xdf import read_part, read_xdf
from acquisition.formats.xdf_repair import repair
from tests.conftest import SHARED_DATA

pytestmark = pytest.mark.conformance

CUTS = 200
FOLDERS = ("xdf-bciess-gusbamp16", "xdf-example-files", "xdf-muse")
FILES = sorted(f"{folder}/{path.name}" for folder in FOLDERS for path in (SHARED_DATA / folder).glob("*.xdf"))


@dataclass(frozen=True)
class Chunk:
    """A chunk of samples or a header as the walker sees it: where it ends, whose it is, how many samples."""

    end: int
    tag: int
    stream: int
    count: int


def walk(content: bytes) -> Iterator[Chunk]:
    """Yield the chunks of a whole file that belong to a stream."""
    at = 4
    while at < len(content):
        width = content[at]
        length = int.from_bytes(content[at + 1 : at + 1 + width], "little")
        start = at + 1 + width
        at = start + length
        tag = int.from_bytes(content[start : start + 2], "little")
        stream = int.from_bytes(content[start + 2 : start + 6], "little")
        if tag == 3:
            digits = content[start + 6]
            yield Chunk(at, tag, stream, int.from_bytes(content[start + 7 : start + 7 + digits], "little"))
        elif tag == 2:
            yield Chunk(at, tag, stream, 0)
    assert at == len(content)


def expected(chunks: list[Chunk], size: int) -> dict[int, int]:
    """Samples of each stream in the chunks that are whole in the first `size` bytes."""
    counts: Counter[int] = Counter()
    for chunk in chunks:
        if chunk.end <= size:
            counts[chunk.stream] += chunk.count
    return dict(counts)


@pytest.mark.parametrize("name", FILES or ["none"])
def test_a_file_cut_at_any_byte_gives_its_whole_chunks(shared_data: Path, tmp_path: Path, name: str):
    """200 cuts at random: each stream has exactly the samples of its whole chunks, values, stamps and all."""
    content = (shared_data / name).read_bytes()
    chunks = list(walk(content))
    whole = {stream.number: stream for stream in read_xdf(shared_data / name).streams}
    assert expected(chunks, len(content)) == {number: len(stream.stamps) for number, stream in whole.items()}
    cut = tmp_path / "cut.xdf"
    for size in np.random.default_rng(zlib.crc32(name.encode())).integers(4, len(content), CUTS):
        cut.write_bytes(content[:size])
        streams = read_xdf(cut).streams
        assert {s.number: len(s.stamps) for s in streams} == expected(chunks, size), size
        for stream in streams:
            check_beginning(stream, whole[stream.number])


@pytest.mark.parametrize("name", FILES or ["none"])
def test_a_sound_copy_of_a_file_that_was_cut_is_read_by_all(shared_data: Path, tmp_path: Path, name: str):
    """Cut in the middle: here and in pyxdf the copy has exactly the samples of the whole chunks."""
    pyxdf = pytest.importorskip("pyxdf")
    content = (shared_data / name).read_bytes()
    size = len(content) * 2 // 3
    (tmp_path / "cut.xdf").write_bytes(content[:size])
    repair(tmp_path / "cut.xdf", tmp_path / "copy.xdf")
    counts = expected(list(walk(content)), size)
    assert {s.number: len(s.stamps) for s in read_xdf(tmp_path / "copy.xdf").streams} == counts
    streams, _ = pyxdf.load_xdf(str(tmp_path / "copy.xdf"), synchronize_clocks=False, dejitter_timestamps=False)
    assert {s["info"]["stream_id"]: len(s["time_stamps"]) for s in streams} == counts


def check_beginning(stream, of) -> None:
    """Check that a stream is the beginning of another, bit for bit."""
    n = len(stream.stamps)
    assert stream.header == of.header and stream.texts == of.texts[:n]
    assert stream.stamps.tobytes() == of.stamps[:n].tobytes()
    assert stream.values is None or stream.values.tobytes() == of.values[:n].tobytes()


@pytest.mark.parametrize("name", ["chunk_length_lie", "out_of_order_sample_chunk", "str_test"])
def test_files_that_a_fuzzer_broke_can_be_cut_anywhere(shared_data: Path, tmp_path: Path, name: str):
    """Never more than before, never another error, at every single byte."""
    content = (shared_data / "xdf-malformed" / f"{name}.xdf").read_bytes()
    most = sum(len(stream.stamps) for stream in read_xdf(shared_data / "xdf-malformed" / f"{name}.xdf").streams)
    cut = tmp_path / "cut.xdf"
    for size in range(len(content)):
        cut.write_bytes(content[:size])
        for read in (read_xdf, read_part):
            try:
                assert sum(len(stream.stamps) for stream in read(cut).streams) <= most
            except RecordingError as error:
                assert size < 4 and "cut.xdf is not an XDF file" in str(error)
