"""Teller: what the screen must not miss of a session, as events; each is true twice (law 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from acquisition.chain import Chain
from acquisition.decisions import Decision
from acquisition.ledger import PARTNER
from acquisition.session_info import SessionInfo
from acquisition.windowing import Window

#: What the screen is told of ``session.json``.
TOLD = (
    "session", "patient", "bed", "mode", "origin", "created_utc", "mains_hz", "rate_hz", "fingerprint", "bundles",
    "planned_s", "replay_of", "excerpt", "rounds", "repeats", "resampled_from_hz", "entered_in_error",
)  # fmt: skip


class Teller:
    """Tell the screen of one session.

    Parameters
    ----------
    tell : callable
        Takes the type of an event and its data.
    info : SessionInfo
        Of the session.
    chain : Chain
        Its channels and filters.
    """

    def __init__(self, tell: Callable[[str, Mapping[str, Any]], None], info: SessionInfo, chain: Chain) -> None:
        self._tell = tell
        self._info = info
        self._montage = chain.montage
        self._filters = chain.filters
        self._state = ""
        self._losing = False

    def session(self) -> None:
        """Tell what session it is."""
        info = self._info.to_json()
        channels = {"labels": self._montage.labels, "kinds": self._montage.kinds, "filters": self._filters}
        self._tell("session", {key: info[key] for key in TOLD} | channels)

    def corrected(self, info: SessionInfo) -> None:
        """Tell what session it is, as it stands corrected."""
        self._info = info
        self.session()

    def note(self, note: Mapping[str, Any]) -> None:
        """Tell what somebody wrote down."""
        self._tell("note", note)

    def source(self, state: str, cause: str) -> None:
        """Tell the source's state when it has changed; the seconds in the cause pass in the heartbeats alone."""
        if state != self._state:
            self._state = state
            self._tell("source", {"state": state, "cause": cause})

    def decision(self, decision: Decision) -> None:
        """Tell what was decided about the samples."""
        if decision.kind in ("segment", "marker"):
            self._tell(decision.kind, dict(decision.data))
        elif decision.kind == "lost":
            self._loss(int(decision.data["n"]), str(decision.data["reason"]))
        self._losing = decision.kind == "lost" or (self._losing and decision.kind != "segment")

    def _loss(self, n_samples: int, reason: str) -> None:
        """Tell what was lost; of what is lost second by second for lack of a partner, once that it is."""
        if reason != PARTNER:
            self.notice(f"{n_samples} samples lost ({reason})")
        elif not self._losing:
            self.notice("Samples are lost: the second stream lacks theirs")

    def notice(self, text: str, remedy: str = "") -> None:
        """Tell people something about the machinery."""
        self._tell("notice", {"level": "technical", "text": text, "remedy": remedy})

    def window(self, window: Window) -> None:
        """Tell of a window that was made."""
        self._tell("window", window_event(window, self._montage.labels))

    def end(self, summary: Mapping[str, Any]) -> None:
        """Tell how it ended."""
        self._tell("end", summary)


def window_event(window: Window, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what the screen is told about a window that was made."""
    return {
        "index": window.index,
        "segment": window.segment,
        "first_sample": window.first_sample,
        "n_samples": len(window.x_uv),
        "sqi": window.sqi,
        "weight": window.weight,
        "channel_quality": dict(zip(labels, window.channel_quality, strict=True)),
        "faults": {label: list(words) for label, words in zip(labels, window.faults, strict=True) if words},
        "flags": list(window.flags),
        "phases": [list(span) for span in window.phases],
    }
