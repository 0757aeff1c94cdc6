"""docs/images/real-blinks.png and the tables beside it: real blinks and jaw clenches and the artifact stage.

``python -m tests.conformance.blinks_figure`` draws the one and prints the others. Needs the shared
recordings.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

from tests.conformance.blinks import RATE_HZ, Cleaned, clean, read, table
from tests.conftest import SHARED_DATA

matplotlib.use("Agg")
from matplotlib import pyplot

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "real-blinks.png"
#: Title, first and last second, channel, and the largest voltage that is drawn.
PANELS = (
    ("blinks, channel 0", (79.3, 81.7), 0, 180.0),
    ("jaw clench, channel 5", (82.7, 84.5), 5, 300.0),
    ("jolts, channel 2", (86.1, 87.2), 2, 700.0),
    ("closed eyes, channel 7", (60.0, 62.4), 7, 60.0),
)


def draw(cleaned: Cleaned) -> None:
    """Draw an event of each kind, and rest."""
    figure, panels = pyplot.subplots(2, 2, figsize=(11, 6), layout="constrained")
    for panel, (title, (first_s, last_s), channel, most_uv) in zip(panels.flat, PANELS, strict=True):
        rows = slice(round(first_s * RATE_HZ), round(last_s * RATE_HZ))
        t_s = np.arange(rows.start, rows.stop) / RATE_HZ
        for x_uv, colour, width, label in (
            (cleaned.before_uv, "0.65", 1.8, "before the stage"),
            (cleaned.busy_uv, "tab:orange", 1.0, "calibrated on blinks and clenches"),
            (cleaned.still_uv, "tab:blue", 1.0, "calibrated on 30 s of rest"),
        ):
            panel.plot(t_s, x_uv[rows, channel], color=colour, linewidth=width, label=label)
        panel.set(title=title, xlim=(first_s, last_s), ylim=(-most_uv, most_uv), xlabel="s", ylabel="µV")
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.savefig(IMAGE, dpi=75)


if __name__ == "__main__":
    found = clean(read(SHARED_DATA))
    draw(found)
    print("\n".join(table(found)))
