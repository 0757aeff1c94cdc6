"""Files that survive a crash and a full disk: whole records or none (law 2)."""

from __future__ import annotations

import contextlib
import os
import resource

import pytest

from acquisition.durable import AppendFile, free_bytes, replace_file
from acquisition.errors import BadEnvironment, DiskFull


@contextlib.contextmanager
def disk_of(n_bytes):
    """Let no file of this process grow beyond so many bytes, as a full disk does: the last write comes out short."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_record_that_the_disk_cuts_short_is_cut_back(tmp_path):
    """After a full disk the file ends with its last whole record, and goes on when there is room again (law 2)."""
    file = AppendFile(tmp_path / "a")
    file.append(b"x" * 60)
    with disk_of(100):
        with pytest.raises(DiskFull, match="40 of 60 bytes written") as refusal:
            file.append(b"y" * 60)
        with pytest.raises(DiskFull, match="takes no more of the record"):
            file.append(b"y" * 60)
        assert (tmp_path / "a").stat().st_size == file.size == 60
    file.append(b"z")
    file.sync()
    file.close()
    assert (tmp_path / "a").read_bytes() == b"x" * 60 + b"z"
    assert "Free space on that disk" in str(refusal.value)
    assert isinstance(refusal.value, BadEnvironment) and refusal.value.exit_code == 4


def test_a_disk_that_takes_nothing_is_told(tmp_path):
    """A write that fails at once leaves the file as it was."""
    file = AppendFile(tmp_path / "a")
    with disk_of(0), pytest.raises(DiskFull, match=r"a takes no more of the record: File too large\."):
        file.append(b"x")
    assert file.size == 0
    file.close()
    file.close()
    assert file.closed


def test_a_file_that_went_away_is_told(tmp_path):
    """Appending, cutting back and syncing a closed descriptor are all refusals in words."""
    file = AppendFile(tmp_path / "a")
    os.close(file._fd)
    for act in (lambda: file.append(b"x"), file.sync):
        with pytest.raises(DiskFull, match="Bad file descriptor"):
            act()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    """Opening in a folder that is missing names the path."""
    with pytest.raises(DiskFull, match="No such file or directory"):
        AppendFile(tmp_path / "none" / "a")


@pytest.mark.parametrize(("content", "torn"), [(b"", False), (b"a\n", False), (b"a\nb", True)])
def test_a_torn_last_line_is_seen(tmp_path, content, torn):
    """A line without its newline was torn by a crash."""
    (tmp_path / "a").write_bytes(content)
    file = AppendFile(tmp_path / "a")
    assert file.ends_torn() is torn
    file.close()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    """Where the disk does not take the new content, the old one stays and no rubbish is left."""
    path = tmp_path / "a.json"
    replace_file(path, b"old")
    with disk_of(10), pytest.raises(DiskFull):
        replace_file(path, b"new" * 10)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.json"]
    replace_file(path, b"new")
    assert path.read_bytes() == b"new"


def test_free_space_is_told_where_it_can_be_asked(tmp_path):
    """A folder that is gone has none that anybody knows of."""
    assert free_bytes(tmp_path) > 0
    assert free_bytes(tmp_path / "gone") is None
