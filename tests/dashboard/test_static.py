"""The pure modules of the pages, tested by node; their types, checked by tsc where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import lacking

TESTS = sorted((Path(__file__).parent / "js").glob("*.test.mjs"))
DASHBOARD = Path(__file__).parents[2] / "dashboard"


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_scripts_of_the_pages(path: Path) -> None:
    """Decoder, ring, playout, ages, store and panels do what their tests say."""
    node = shutil.which("node") or lacking("node on PATH")
    answer = subprocess.run([node, "--test", str(path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_the_types_of_the_scripts() -> None:
    """JSDoc types hold: what the server sends is what the pages read."""
    tsc = DASHBOARD / "node_modules" / ".bin" / "tsc"
    if not tsc.exists():
        lacking("TypeScript: npm ci --prefix dashboard")
    answer = subprocess.run([tsc, "--project", DASHBOARD], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
