"""The page of ages names every row of the table, and no other."""

import re
from pathlib import Path

from .rows import TABLE

PAGE = Path(__file__).parents[3] / "docs" / "ages.md"


def test_the_page_has_every_row() -> None:
    """Whoever adds a row says what it shows, in the words of its docstring."""
    rows = re.findall(r"^\| `([^`]*)` \| ([^|]*) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(name, row.words) for name, row in TABLE.items()]
