"""The page of faults names every row of the table, and no other."""

import re
from pathlib import Path

from .side import TABLE

PAGE = Path(__file__).parents[3] / "docs" / "faults.md"


def test_the_page_has_every_row():
    """Whoever adds a row says what it shows."""
    first_cells = re.findall(r"^\| (`[^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)] == list(TABLE)
