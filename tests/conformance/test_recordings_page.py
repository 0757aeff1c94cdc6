"""docs/recordings.md says what the command says: every file of the shared recordings, read or refused (law 10)."""

from __future__ import annotations

import pytest

from tests.conformance.recordings_page import BLOCK, PAGE, filled

pytestmark = pytest.mark.conformance


@pytest.mark.timeout(120)
def test_the_page_says_what_the_command_says(shared_data):
    """After a change of a reader: python -m tests.conformance.recordings_page."""
    pytest.importorskip("mne", reason="the extra 'recordings' is not installed")
    page = PAGE.read_text("utf-8")
    assert len(BLOCK.findall(page)) == 2
    assert filled(page, shared_data) == page


def test_every_file_is_on_the_page(shared_data):
    """None was left out, and no path of a machine is on it."""
    page = PAGE.read_text("utf-8")
    for path in shared_data.rglob("*"):
        assert path.is_dir() or path.relative_to(shared_data).as_posix() in page, path
    assert str(shared_data) not in page
