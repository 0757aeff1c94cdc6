"""The colours of the pages: what is read has a contrast of 4.5 in each theme, what is seen one of 3 (WCAG 2.2 AA)."""

from __future__ import annotations

import colorsys
import re
from collections.abc import Mapping

import pytest

from dashboard.files import STATIC

#: Words, and what they stand on.
READ = [(ink, ground) for ink in ("ink", "quiet", "accent", "bad") for ground in ("surface", "ground")] + [
    ("ribbon-ink", "ribbon"),
    ("notice-ink", "notice"),
    ("danger-ink", "danger"),
    ("ink", "accent-soft"),
    *(("ink", f"phase-{phase}") for phase in ("preparation", "flexion", "rest", "extension", "settling")),
]
#: Shapes that say something, on the ground of the traces.
SEEN = ["eeg", "emg", "accent", "good", "fair", "bad", "head"]
#: Degrees of the hues that stay with alarms of medical devices: red, yellow, cyan.
RESERVED = [(345, 375), (48, 70), (165, 198)]
#: What is never to look like an alarm: traces, the number, a notice.
CALM = ["eeg", "emg", "accent", "notice-ink"]


def palette(*names: str) -> Mapping[str, str]:
    """Return the colours of styles, a later one over an earlier."""
    styles = [(STATIC / f"{name}.css").read_text(encoding="utf-8") for name in names]
    return {name: colour for style in styles for name, colour in re.findall(r"--([\w-]+): (#[0-9a-f]{6});", style)}


THEMES = {"light": palette("base"), "dark": palette("base", "dark"), "night": palette("base", "dark", "night")}


@pytest.fixture(params=THEMES)
def colours(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """Return the colours of a theme."""
    return THEMES[request.param]


def parts(colour: str) -> list[float]:
    """Return red, green and blue of ``#rrggbb`` from 0 to 1."""
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def luminance(colour: str) -> float:
    """Return the relative luminance by WCAG 2."""
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_words_can_be_read(colours: Mapping[str, str]) -> None:
    """Nobody has to guess, by day, in the dark, at night."""
    found = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in READ}
    assert {pair: ratio for pair, ratio in found.items() if ratio < 4.5} == {}


def test_shapes_can_be_seen(colours: Mapping[str, str]) -> None:
    """Traces, bars and marks stand out from what they are drawn on."""
    found = {name: round(contrast(colours[name], colours["surface"]), 2) for name in SEEN}
    assert {name: ratio for name, ratio in found.items() if ratio < 3} == {}


def test_nothing_wears_the_colours_of_an_alarm(colours: Mapping[str, str]) -> None:
    """Red, yellow and cyan belong to medical devices: no trace, number or notice is taken for one."""
    hues = {name: 360 * colorsys.rgb_to_hls(*parts(colours[name]))[0] for name in CALM}
    alarms = [
        (name, hue)
        for name, hue in hues.items()
        for low, high in RESERVED
        if low <= hue < high or low <= hue + 360 < high
    ]
    assert alarms == []


def test_the_night_is_dim() -> None:
    """No ground gives light, no word is brighter than it must be: less than half of the white by day."""
    night = THEMES["night"]
    assert max(luminance(night[name]) for name in ("ground", "surface", "line", "grid")) < 0.02
    assert max(luminance(night[name]) for name in ("ink", "accent", "eeg", "emg", "ribbon-ink", "notice-ink")) < 0.5
