"""Gathering: what is meant by a folder."""

from __future__ import annotations

import pytest

from acquisition.errors import RecordingError
from deploy.gathering import gather, has_many


def lay(folder, *names):
    """Make empty files, and the folders that they lie in."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_is_searched_to_the_bottom(tmp_path):
    """Files by their endings, in order of their names; nothing hidden, nothing of our own."""
    lay(tmp_path, "b/2.XDF", "b/1.csv", "a.edf", "a.edf.decisions.jsonl", "notes.md", ".x.xdf", ".git/y.xdf")
    assert [one.name for one in gather("any", tmp_path)] == ["a.edf", "b/1.csv", "b/2.XDF"]
    assert gather("any", tmp_path)[1].path == tmp_path / "b/1.csv"


def test_a_session_is_one_recording(tmp_path):
    """Whatever its folder holds; also below a data folder."""
    lay(tmp_path, "sessions/01A/session.json", "sessions/01A/recording-1.xdf", "sessions/01B/session.json")
    assert [one.name for one in gather("any", tmp_path)] == ["sessions/01A", "sessions/01B"]
    assert [one.name for one in gather("S", tmp_path / "sessions/01A")] == ["S"]
    assert not has_many(tmp_path / "sessions/01A") and has_many(tmp_path)


def test_a_file_is_itself(tmp_path):
    """Whatever it is: who reads it refuses it."""
    lay(tmp_path, "x.md")
    assert [(one.name, one.path) for one in gather("./x.md", tmp_path / "x.md")] == [("./x.md", tmp_path / "x.md")]
    assert not has_many(tmp_path / "x.md")


def test_a_folder_without_any_is_refused(tmp_path):
    """With what it should have."""
    lay(tmp_path, "x.md")
    with pytest.raises(
        RecordingError, match=r"There is no recording in .*\. Name a session's folder, or one with .*\.xdf"
    ):
        gather("any", tmp_path)
