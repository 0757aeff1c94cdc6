"""docs/images/real-muscles.png and the table beside it: real muscles before and after our conditioning.

``python -m tests.conformance.muscles_figure`` draws the one and prints the other. Needs the shared
recordings.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np

from acquisition.measures.envelope import envelope
from tests.conformance.muscles import EXERCISES, RATE_HZ, THIGH, Exercise, read, table
from tests.conftest import SHARED_DATA

matplotlib.use("Agg")
from matplotlib import pyplot

IMAGE = Path(__file__).parents[2] / "docs" / "images" / "real-muscles.png"
#: Edge of the envelope that is drawn, in Hz: the one of the onset is too restless for a page.
DRAWN_HZ = 10.0


def draw() -> None:
    """Draw the first agonist of both exercises."""
    figure, panels = pyplot.subplots(2, 1, figsize=(9, 5.2), layout="constrained")
    for panel, exercise in zip(panels, EXERCISES, strict=True):
        _draw(panel, exercise)
    panels[1].set_xlabel("time in s")
    panels[0].legend(loc="upper right", fontsize=8, ncols=3)
    figure.savefig(IMAGE, dpi=75)


def _draw(panel: matplotlib.axes.Axes, exercise: Exercise) -> None:
    recorded, muscle = read(SHARED_DATA, exercise), exercise.agonists[0]
    t_s = np.arange(len(recorded.angle_deg)) / RATE_HZ
    looks = (("before conditioning", "0.6", 2.5), ("after", "tab:blue", 1.0))
    for x_uv, lags, (label, colour, width) in zip(recorded.traces, recorded.lags_ms(muscle), looks, strict=True):
        trace = envelope(x_uv[:, THIGH.labels.index(muscle)], RATE_HZ, DRAWN_HZ)
        panel.plot(t_s, trace, color=colour, linewidth=width, label=label)
        onsets = [
            start / RATE_HZ + lag / 1000 for start, lag in zip(recorded.starts, lags, strict=True) if lag is not None
        ]
        panel.plot(onsets, np.zeros(len(onsets)), "^", color=colour, markersize=10 if colour == "0.6" else 6)
    for start in recorded.starts:
        panel.axvline(start / RATE_HZ, color="tab:red", linewidth=0.8, linestyle="--")
    panel.set(title=f"{exercise.name}: {muscle}", ylabel="envelope in µV", xlim=(0, t_s[-1]))
    angle = panel.twinx()
    angle.plot(t_s, recorded.angle_deg, color="tab:red", linewidth=0.8, alpha=0.6)
    angle.set_ylabel("knee angle in degrees", color="tab:red")


if __name__ == "__main__":
    draw()
    print("\n".join(table(SHARED_DATA)))
