"""A figure as SVG that stands in a page: text stays text, colours follow the page, no id meets another figure's."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from acquisition.durable import replace_file

#: Colours on paper; in a page each is a variable of ``style.css`` that has a second value for a dark screen.
INK, QUIET, LINE, SURFACE = "#1a2130", "#566074", "#d8dce5", "#fefefe"
#: Five that colour-blind eyes tell apart (Okabe and Ito 2008); each also has a stroke of its own.
SERIES = ("#0072b2", "#d55e00", "#008c65", "#b0578d", "#7a6a00")
STROKES: tuple[str | tuple[int, tuple[int, ...]], ...] = ("-", "--", ":", "-.", (0, (6, 2, 1, 2, 1, 2)))
VARIABLES = {
    INK: "--ink",
    QUIET: "--quiet",
    LINE: "--line",
    SURFACE: "--surface",
    **{colour: f"--series-{number}" for number, colour in enumerate(SERIES, start=1)},
}
#: Width and height in inches of 72 points: about 560 pixels of a page.
SIZE = (5.8, 4.0)
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    # A dollar sign in a name is a dollar sign.
    "text.parse_math": False,
    # Ids that are the same every time.
    "svg.hashsalt": "flexion",
    "font.family": "sans-serif",
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.facecolor": SURFACE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": LINE,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "figure.facecolor": SURFACE,
    "legend.frameon": False,
    "legend.fontsize": 9.5,
}
#: Of the SVG's own description nothing is kept: it would change with the day and name other hosts.
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@dataclass(frozen=True)
class Drawing:
    """One figure.

    Attributes
    ----------
    name : str
        Of its file, and before every id in it.
    svg : str
        A whole SVG document, light.
    alt : str
        What is to be seen, for whoever cannot see it.
    caption : str
        What stands below it.
    """

    name: str
    svg: str
    alt: str
    caption: str

    def inline(self) -> Markup:
        """Return the SVG as it stands in a page: an image with words, in the page's colours."""
        body = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", self.svg[self.svg.index("<svg") :], flags=re.DOTALL)
        body = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{self.name}-", body)
        for colour, variable in VARIABLES.items():
            body = body.replace(colour, f"var({variable}, {colour})")
        found = re.match(r'<svg[^>]*?viewBox="([^"]+)"[^>]*>', body)
        assert found is not None, "matplotlib writes a view box"
        head = Markup('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"')
        head += Markup(' viewBox="{}" role="img" aria-label="{}">').format(found[1], self.alt)
        return head + Markup(body[found.end() :])

    def write(self, folder: Path) -> None:
        """Write it as a file of its own, with its words."""
        title = f"<title>{escape(self.alt)}</title>"
        found = re.search(r"<svg[^>]*>", self.svg)
        assert found is not None, "matplotlib writes an svg element"
        svg = self.svg[: found.end()] + title + self.svg[found.end() :]
        replace_file(folder / f"{self.name}.svg", svg.encode())


class Sheet:
    """A figure while it is drawn; ``svg`` holds the document afterwards."""

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.svg = ""

    def drawing(self, name: str, alt: str, caption: str) -> Drawing:
        """Return what was drawn, with its words; the name becomes one that any file may have."""
        return Drawing(re.sub(r"[^a-z0-9]+", "-", name.lower()), self.svg, alt, caption)


@contextmanager
def sheet(size: tuple[float, float] = SIZE) -> Iterator[Sheet]:
    """Yield a sheet in the report's style and print it at the end; no state of matplotlib's is left changed."""
    with matplotlib.rc_context(STYLE):
        sheet = Sheet(Figure(figsize=size, layout="constrained"))
        yield sheet
        buffer = io.StringIO()
        sheet.figure.savefig(buffer, format="svg", metadata=NO_METADATA)
        sheet.svg = buffer.getvalue()
