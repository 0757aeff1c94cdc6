"""What is no file is told before it is opened, and never waited for (law 10)."""

from __future__ import annotations

import pytest

from acquisition.plain_file import other_than_file, read_plain
from tests import no_files


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_what_is_no_file_is_not_opened(tmp_path, kind):
    """Each is told by its name."""
    path = no_files.put(kind, tmp_path / "a")
    assert other_than_file(path) == kind
    with pytest.raises(OSError) as caught:
        read_plain(path)
    assert caught.value.strerror == f"it is {kind}, expected a file"


def test_a_file_is_read(tmp_path):
    """A link to one is one; of nothing, and of no path at all, whoever opens it is told."""
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert read_plain(tmp_path / "b") == b"content"
    assert other_than_file(tmp_path / "none") is None and other_than_file(tmp_path / "\0") is None
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "none")
