"""Parts: each life's raw record, whole chunks only, whatever the disk does (law 2)."""

from __future__ import annotations

import os

import numpy as np
import pytest

from acquisition.errors import DiskFull, RecordingError
from acquisition.formats.xdf import read_headers, read_part
from acquisition.formats.xdf_header import StreamHeader
from acquisition.parts import SYNCS_PER_BOUNDARY, PartWriter
from tests import no_files
from tests.acquisition.test_durable import disk_of

SIGNAL = StreamHeader("Amp16", "EEG", "float32", 1000.0, 2, labels=("C3", "RF"))
MARKERS = StreamHeader("Cues", "Markers", "string", 0.0, 1)


def chunk(first, n=20):
    """Samples whose first channel is their index, and their stamps."""
    index = np.arange(first, first + n)
    return np.stack([index, -index], 1).astype(np.float32), index / 1000


def test_each_chunk_is_one_write(tmp_path, monkeypatch):
    """A chunk reaches the kernel in one piece, so that a crash leaves it whole or torn, never mixed."""
    writer = PartWriter.create(tmp_path / "a.xdf", [SIGNAL, MARKERS])
    writes = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: writes.append(len(data)) or write(fd, data))
    writer.append(0, *chunk(0))
    writer.append(1, ["rest"], np.array([0.5]))
    writer.offset(0, 0.1, 0.0)
    writer.append(0, *chunk(20, 0))
    assert len(writes) == 3
    assert (writer.n_samples(0), writer.n_samples(1)) == (20, 1)
    writer.close()
    writer.close()


def test_a_full_disk_leaves_whole_chunks(tmp_path):
    """What was acknowledged is there; the chunk that did not fit is not, and not half (law 2)."""
    writer = PartWriter.create(tmp_path / "a.xdf", [SIGNAL, MARKERS])
    size = (tmp_path / "a.xdf").stat().st_size
    with disk_of(size + 1000):
        written = 0
        with pytest.raises(DiskFull):
            for first in range(0, 1000, 20):
                writer.append(0, *chunk(first))
                written += 20
        assert writer.n_samples(0) == written
        with pytest.raises(DiskFull):
            writer.append(0, *chunk(written, 500))
    file = read_part(tmp_path / "a.xdf")
    assert file.problems == ()
    assert file.streams[0].values[:, 0].tolist() == list(range(written))


def test_a_full_disk_at_the_footer_loses_nothing(tmp_path):
    """Footers are for others: without them every sample is read; the writer says that it could not close."""
    writer = PartWriter.create(tmp_path / "a.xdf", [SIGNAL])
    writer.append(0, *chunk(0))
    with disk_of((tmp_path / "a.xdf").stat().st_size + 10), pytest.raises(DiskFull):
        writer.close()
    writer.close()
    file = read_part(tmp_path / "a.xdf")
    assert len(file.streams[0].stamps) == 20 and file.problems == ()


def test_a_part_has_whole_headers_or_does_not_exist(tmp_path):
    """Headers are written aside and renamed: a full disk leaves neither a part nor rubbish."""
    with disk_of(100), pytest.raises(DiskFull):
        PartWriter.create(tmp_path / "a.xdf", [SIGNAL, MARKERS])
    assert os.listdir(tmp_path) == []


def test_the_headers_of_a_part_are_read_without_its_samples(tmp_path):
    """A later life knows at once which streams it goes on with, however long the part is, and torn or not."""
    writer = PartWriter.create(tmp_path / "a.xdf", [SIGNAL, MARKERS])
    assert [header.name for header in read_headers(tmp_path / "a.xdf")] == ["Amp16", "Cues"]
    for first in range(0, 40_000, 1000):
        writer.append(0, *chunk(first, 1000))
    os.truncate(tmp_path / "a.xdf", (tmp_path / "a.xdf").stat().st_size - 7)
    assert [header.labels for header in read_headers(tmp_path / "a.xdf")] == [SIGNAL.labels, ()]
    (tmp_path / "b.xdf").write_bytes(b"rubbish")
    with pytest.raises(RecordingError, match="is not an XDF file: it begins with b'rubb'"):
        read_headers(tmp_path / "b.xdf")
    with pytest.raises(RecordingError, match="is a pipe, expected a file"):
        read_headers(no_files.put("a pipe", tmp_path / "c.xdf"))


def test_a_part_left_behind_by_a_crash_in_its_headers_is_begun_anew(tmp_path):
    """A temporary file of an earlier life is no part and is not appended to."""
    (tmp_path / "a.xdf.tmp").write_bytes(b"XDF:rubbish")
    with PartWriter.create(tmp_path / "a.xdf", [SIGNAL]) as writer:
        writer.append(0, *chunk(0))
    assert read_part(tmp_path / "a.xdf").problems == ()
    assert os.listdir(tmp_path) == ["a.xdf"]


def test_boundaries_let_others_find_their_way(tmp_path):
    """Every tenth sync writes a boundary, from which readers go on after damage."""
    with PartWriter.create(tmp_path / "a.xdf", [SIGNAL]) as writer:
        before = writer._file.size
        for _ in range(2 * SYNCS_PER_BOUNDARY):
            writer.sync()
        assert writer._file.size - before == 2 * 20
