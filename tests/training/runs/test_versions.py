"""What a run was made with is said without a path of the machine."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from training.runs import versions


def repository(folder: Path) -> Path:
    """Return a repository with one commit."""
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)
    return folder


def test_versions_name_what_touches_numbers():
    """Python, ours, and the libraries."""
    assert {"python", "flexion", "numpy", "scipy", "scikit-learn", "torch"} <= versions.versions().keys()


def test_a_library_that_is_not_installed_is_left_out(monkeypatch: pytest.MonkeyPatch):
    """It cannot have touched a number."""
    monkeypatch.setattr(versions, "LIBRARIES", ("numpy", "no-such-library"))
    assert versions.versions().keys() == {"python", "numpy"}


def test_the_commit_that_runs_is_named(tmp_path: Path):
    """With a word on files that differ from it."""
    root = repository(tmp_path)
    (root / "a").touch()
    subprocess.run(["git", "-C", str(root), "add", "a"], check=True)
    assert re.fullmatch(r"[0-9a-f]{40}-dirty", versions.git_id(root) or "")
    subprocess.run(["git", "-C", str(root), "reset", "-q"], check=True)
    assert re.fullmatch(r"[0-9a-f]{40}", versions.git_id(root) or "")


def test_without_a_checkout_there_is_no_commit(tmp_path: Path):
    """Nor is one of a repository above taken for ours."""
    folder = repository(tmp_path) / "site-packages"
    folder.mkdir()
    assert versions.git_id(folder) is None


def test_a_checkout_that_git_cannot_read_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Broken, or on a machine without git."""
    (tmp_path / ".git").touch()
    assert versions.git_id(tmp_path) is None
    monkeypatch.setenv("PATH", "")
    assert versions.git_id(tmp_path) is None


def test_the_host_is_a_kind_of_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Neither its name nor a path of it."""
    assert "/" not in json.dumps(versions.host())
    monkeypatch.setattr(versions, "CPUINFO", tmp_path / "none")
    assert versions.host()["processor"]
