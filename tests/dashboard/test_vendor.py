"""What others wrote and the pages carry: unchanged, with its licence, and nothing beside it."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from dashboard.files import STATIC

FOLDERS = sorted(path.parent for path in (STATIC / "vendor").glob("*/manifest.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_the_one_that_was_released(folder: Path) -> None:
    """The manifest names each file with its SHA-256, and the licence is among them."""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    del found["manifest.json"]
    assert found == manifest["files"]
    assert manifest["licence"] == "MIT" and "LICENSE" in found


def test_no_folder_is_without_a_manifest() -> None:
    """Whatever lies among them says where it comes from."""
    assert FOLDERS == sorted((STATIC / "vendor").iterdir()) != []
