"""Watched: what a page saw and drew, made into times: sample to pixel, window end to number, and where they are spent.

All times are in milliseconds, from a stamp on the LSL clock to a moment of the page's clock; a ``ClockTie`` ties both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.bench.clock_tie import ClockTie

#: Samples that are drawn at once at most; more is a page that is drawn anew.
MOST_AT_ONCE = 1000

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Watched:
    """What ``watch.js`` kept.

    Parameters
    ----------
    frames : ndarray, shape (n, 5)
        Received (page clock, ms), first sample, samples, stamp of the last sample and when it was sent (LSL clock, s).
    draws : ndarray, shape (n, 2)
        When (page clock, ms), one past the newest sample drawn; NaN where nothing is.
    numbers : ndarray, shape (n, 2)
        When (page clock, ms), how many scored windows the number rests on.
    messages : list of (float, str, mapping)
        When (page clock, ms), type, data.
    first_trace_ms : float or None
        When the first live sample was drawn (page clock); None while none is.
    """

    frames: Values
    draws: Values
    numbers: Values
    messages: list[tuple[float, str, Mapping[str, Any]]]
    first_trace_ms: float | None = None

    @classmethod
    def read(cls, text: str) -> Watched:
        """Return what the page handed over as JSON; a number that it could not write is NaN."""
        seen = json.loads(text)
        frames, draws, numbers = (
            np.array(seen[name], np.float64).reshape(-1, width)
            for name, width in (("frames", 5), ("draws", 2), ("numbers", 2))
        )
        messages = [(at_ms, type, data) for at_ms, type, data in seen["messages"]]
        return cls(frames, draws, numbers, messages, seen["liveMs"])

    @property
    def session(self) -> Mapping[str, Any]:
        """What was told of the session last; nothing while nobody told."""
        return self._data("session")[-1] if self._data("session") else {}

    # -- samples --------------------------------------------------------------------------------

    def stamps_s(self, samples: Values) -> Values:
        """Return when samples were taken, by the frames that they came in; NaN for one that did not come."""
        _, first, count, stamp_s, _ = self.frames.T
        at = np.searchsorted(first, samples, side="right") - 1
        last = (first + count - 1)[at]
        stamps_s = stamp_s[at] - (last - samples) / self._rate_hz
        return np.where((at >= 0) & (samples <= last), stamps_s, np.nan)

    def sample_to_pixel_ms(self, tie: ClockTie) -> Values:
        """Return, of every sample, the time from its stamp to the end of the frame callback that drew it."""
        moments, samples = self._drawn()
        return _known(1000 * (moments / 1000 + tie.offset_s - self.stamps_s(samples)))

    def _drawn(self) -> tuple[Values, Values]:
        """Return when samples were drawn, and which."""
        steps = [
            (at_ms, np.arange(before, after))
            for (_, before), (at_ms, after) in zip(self.draws, self.draws[1:], strict=False)
            if 0 < after - before <= MOST_AT_ONCE
        ]
        moments = [np.full(len(samples), at_ms) for at_ms, samples in steps]
        return _joined(moments), _joined(samples for _, samples in steps)

    def frame_stages_ms(self, tie: ClockTie) -> dict[str, Values]:
        """Return where the time of frames goes: from the stamp of the last sample on."""
        received_ms, _, _, stamp_s, sent_s = self.frames.T
        return {
            "sample taken to frame sent": _known(1000 * (sent_s - stamp_s)),
            "frame sent to frame received": _known(received_ms + 1000 * (tie.offset_s - sent_s)),
        }

    def jitter_ms(self) -> Values:
        """Return by how much later than the earliest each frame came."""
        received_ms, first, count, _, _ = self.frames.T
        late_ms = received_ms - 1000 * (first + count) / self._rate_hz
        return np.asarray(late_ms - late_ms.min() if len(late_ms) else late_ms)

    # -- windows --------------------------------------------------------------------------------

    def window_to_number_ms(self, tie: ClockTie) -> Values:
        """Return, of every window, the time from the stamp of its last sample to the frame that showed its number.

        The first ones have none: an outcome that rests on too few has no number.
        """
        ends_s, without = self._ends_s(), self._without_number()
        shown = []
        before = 0
        for at_ms, rests_on in self.numbers:
            behind = [n for n in range(before, int(rests_on)) if n + 1 not in without]
            shown += [at_ms / 1000 + tie.offset_s - ends_s[n] for n in behind]
            before = int(rests_on)
        return _known(1000 * np.array(shown, np.float64))

    def window_stages_ms(self, tie: ClockTie) -> dict[str, Values]:
        """Return when, after a window's last sample, the page heard of its result, and of the outcome."""
        ends_s = self._ends_s()
        heard = [at_ms for at_ms, _ in self._scored()]
        told = {data["parts"]["eeg_emg"]["windows"]: at_ms for at_ms, data in reversed(self._told("outcome"))}
        outcomes = [told.get(n, np.nan) for n in range(1, len(ends_s) + 1)]
        after = [np.array(moments, np.float64) + 1000 * (tie.offset_s - ends_s) for moments in (heard, outcomes)]
        return dict(zip(("window end to result heard", "window end to outcome heard"), map(_known, after), strict=True))

    def _ends_s(self) -> Values:
        """Return when the last sample of each scored window was taken, in the order of their results."""
        made = {data["index"]: data["first_sample"] + data["n_samples"] - 1 for data in self._data("window")}
        ends = [made[data["index"]] for _, data in self._scored()]
        return self.stamps_s(np.array(ends, np.float64)) if len(self.frames) else np.full(len(ends), np.nan)

    def _without_number(self) -> set[int]:
        """Return how many windows outcomes without a number rest on."""
        outcomes = self._data("outcome")
        return {data["parts"]["eeg_emg"]["windows"] for data in outcomes if data["probability"] is None}

    def _scored(self) -> list[tuple[float, Mapping[str, Any]]]:
        """Return the results that the number rests on, each as it was heard first."""
        results = {data["index"]: (at_ms, data) for at_ms, data in reversed(self._told("result"))}
        scored = [told for told in results.values() if told[1]["state"] == "scored"]
        return sorted(scored, key=lambda told: told[0])

    # -- messages -------------------------------------------------------------------------------

    @property
    def _rate_hz(self) -> float:
        return float(self.session["rate_hz"])

    def _told(self, type: str) -> list[tuple[float, Mapping[str, Any]]]:
        return [(at_ms, data) for at_ms, told, data in self.messages if told == type]

    def _data(self, type: str) -> list[Mapping[str, Any]]:
        return [data for _, data in self._told(type)]


def _joined(pieces: Iterable[Values]) -> Values:
    return np.concatenate([np.empty(0), *pieces])


def _known(values: Values) -> Values:
    return values[np.isfinite(values)]
