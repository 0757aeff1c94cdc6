"""Sound copies of damaged XDF files: they read as the file does, here and in pyxdf, and nothing else is touched."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.errors import RecordingError
from acquisition.formats import xdf_writer
from acquisition.formats.xdf import read_xdf
from acquisition.formats.xdf_header import StreamHeader
from acquisition.formats.xdf_repair import repair

SIGNAL = StreamHeader("Amp", "EEG", "float32", 100.0, 2, ("C3", "RF"), ("uV", None))
CUES = StreamHeader("Cues", "Markers", "string", 0.0, 2)
SAMPLES = np.arange(80, dtype=np.float32).reshape(40, 2)
STAMPS = 5 + np.arange(40) / 100


def unstamped(*rows):
    """The content of a chunk in which the first row has no stamp and the others have."""
    parts = [b"\0" + rows[0].tobytes(), *(b"\x08" + struct.pack("<d", 7.0) + row.tobytes() for row in rows[1:])]
    return xdf_writer.chunk(3, struct.pack("<IBI", 1, 4, len(rows)) + b"".join(parts))


def content():
    """A file of two streams with a boundary between chunks, rows without a stamp, an unknown chunk and no footer."""
    chunks = [xdf_writer.file_header(), xdf_writer.stream_header(1, SIGNAL), xdf_writer.stream_header(2, CUES)]
    for first in range(0, 40, 10):
        chunks += [
            xdf_writer.samples(1, SIGNAL, SAMPLES[first : first + 10], STAMPS[first : first + 10]),
            xdf_writer.texts(2, [("rest", str(first)), ("flexion", "")], [STAMPS[first], STAMPS[first] + 0.01]),
            xdf_writer.clock_offset(1, 5.0, 0.25),
            xdf_writer.boundary(),
            unstamped(SAMPLES[0], SAMPLES[1], SAMPLES[2]),
            xdf_writer.chunk(99, b"what is this"),
        ]
    return b"".join(chunks)


def check_same(copy, of):
    """Check that two files have the same streams, bit for bit."""
    for ours, theirs in zip(copy.streams, of.streams, strict=True):
        assert (ours.number, ours.header, ours.texts) == (theirs.number, theirs.header, theirs.texts)
        assert ours.stamps.tobytes() == theirs.stamps.tobytes() and ours.offsets.tobytes() == theirs.offsets.tobytes()
        assert ours.values is theirs.values is None or ours.values.tobytes() == theirs.values.tobytes()
        assert ours.footer["sample_count"] == str(len(ours.stamps))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_copy_reads_as_the_damaged_file_does(tmp_path_factory, data):
    """Bytes cut out, changed, put in, and the end cut off: the same streams, and nothing left to complain of."""
    folder = tmp_path_factory.mktemp("repair")
    damaged = bytearray(content())
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(4, len(damaged) - 1))
        damaged[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=12))
    (folder / "a.xdf").write_bytes(damaged[: data.draw(st.integers(4, len(damaged)))])
    before = (folder / "a.xdf").read_bytes()
    try:
        file = repair(folder / "a.xdf", folder / "copy.xdf")
    except RecordingError as error:
        assert "holds no stream that is whole" in str(error) and not (folder / "copy.xdf").exists()
        return
    copy = read_xdf(folder / "copy.xdf")
    assert file.problems and copy.problems == ()
    check_same(copy, file)
    assert (folder / "a.xdf").read_bytes() == before


def test_samples_without_a_time_after_damage_are_left_out(tmp_path):
    """Of the chunk that they begin, the rest is kept, with its stamps; texts too."""
    torn = xdf_writer.chunk(
        3,
        struct.pack("<IBI", 2, 4, 2)
        + b"".join(
            stamp + b"".join(b"\x01" + bytes([len(text)]) + text for text in (b"rest", b"x"))
            for stamp in (b"\0", b"\x08" + struct.pack("<d", 7.0))
        ),
    )
    headers = xdf_writer.stream_header(1, SIGNAL) + xdf_writer.stream_header(2, CUES)
    path = tmp_path / "a.xdf"
    path.write_bytes(xdf_writer.MAGIC + headers + b"\x07" + xdf_writer.boundary() + unstamped(*SAMPLES[:3]) + torn)
    repair(path, tmp_path / "copy.xdf")
    copy = read_xdf(tmp_path / "copy.xdf")
    check_same(copy, read_xdf(path))
    assert copy.streams[0].values.tolist() == SAMPLES[1:3].tolist()
    assert copy.streams[1].texts == (("rest", "x"),) and copy.streams[1].stamps.tolist() == [7.0]


def test_other_programs_read_the_copy(tmp_path):
    """It has the same samples for pyxdf."""
    pyxdf = pytest.importorskip("pyxdf")
    (tmp_path / "a.xdf").write_bytes(content()[:-300])
    file = repair(tmp_path / "a.xdf", tmp_path / "copy.xdf")
    streams, _ = pyxdf.load_xdf(str(tmp_path / "copy.xdf"), synchronize_clocks=False, dejitter_timestamps=False)
    found = {stream["info"]["stream_id"]: stream["time_stamps"].tolist() for stream in streams}
    assert found == {stream.number: pytest.approx(stream.stamps.tolist()) for stream in file.streams}


def test_a_whole_file_needs_no_copy(tmp_path):
    """A copy has nothing to complain of, and so none is made of it."""
    (tmp_path / "a.xdf").write_bytes(content())
    repair(tmp_path / "a.xdf", tmp_path / "copy.xdf")
    assert repair(tmp_path / "copy.xdf", tmp_path / "again.xdf").problems == ()
    assert not (tmp_path / "again.xdf").exists()


@pytest.mark.parametrize(("name", "words"), [("a.xdf", "is there already"), ("b.txt", r"does not end in \.xdf")])
def test_no_file_is_replaced(tmp_path, name, words):
    """Least of all the damaged one."""
    (tmp_path / "a.xdf").write_bytes(content())
    with pytest.raises(RecordingError, match=f"{words}.*Name another file"):
        repair(tmp_path / "a.xdf", tmp_path / name)
