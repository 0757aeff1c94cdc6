"""What a session says after its end, held against what was sent: every sample, every window, every number.

``expected`` computes ledger and windows from the spans of the grid that came, by arithmetic alone; nothing of the
chain's own bookkeeping is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.windowing import Window
from streaming.connection import connect
from streaming.events import Event, EventLog
from tests.streaming.bridging import SMALL, Bed, hashed

from .script import AMP, INDEX, RATE_HZ, Script

#: What a decision says in one line; what is not here is nothing of the samples.
_WORDS = {
    "segment": "segment {segment} at {first_sample}: {reason}",
    "bridged": "bridged {n}",
    "lost": "lost {n}: {reason}",
    "clock_reset": "clock reset",
}


def _alike(heard: NDArray[np.float64], sent: NDArray[np.float32]) -> int:
    """Return how many rows are the same from the first on."""
    alike = ((heard == sent) | (np.isnan(heard) & np.isnan(sent))).all(axis=1)
    return len(alike) if alike.all() else int(np.argmin(alike))


@dataclass(frozen=True, eq=False)
class Account:
    """A session that has ended.

    Parameters
    ----------
    planned : int
        Its length in grid samples.
    rows : ndarray, shape (n_samples, 9)
        Samples as recorded.
    stamps_s : ndarray, shape (n_samples,)
        Their stamps as recorded.
    decisions : sequence of Decision
        As recorded.
    ledger : mapping
        As the bridge wrote it.
    windows : sequence of Window
        Made again from the folder.
    results : sequence of mapping
        As recorded.
    events : sequence of Event
        What the screen was told.
    """

    planned: int
    rows: NDArray[np.float32]
    stamps_s: NDArray[np.float64]
    decisions: Sequence[Decision]
    ledger: Mapping[str, Any]
    windows: Sequence[Window]
    results: Sequence[Mapping[str, Any]]
    events: Sequence[Event]

    @classmethod
    def of(cls, bed: Bed, sent: Sequence[tuple[Script, int]]) -> Account:
        """Read a session, and check what must hold of every one.

        Parameters
        ----------
        bed : Bed
            The session.
        sent : sequence of (Script, int)
            What each amplifier was to send, and how many rows of it went out at most.
        """
        folder = bed.again().folder
        part = folder.part(1)
        ended = folder.ledger()
        assert ended is not None and ended["ended"] and folder.part_numbers() == [1]
        chain, windows = bed.replayed()
        with connect(bed.url, "test") as redis:
            events = EventLog(redis, bed.session).read()
        account = cls(
            round((folder.info.planned_s or 0.0) * RATE_HZ), part.samples, part.stamps, folder.decisions(),
            ended["ledger"], windows, folder.results(), events,
        )  # fmt: skip
        same(chain.ledger.to_json(), account.ledger)
        account._check_windows(ended["windows"])
        account._check_sent(sent)
        return account

    # -- what must hold of every session ----------------------------------------------------------

    def _check_windows(self, counted: Mapping[str, int]) -> None:
        """The windows that were made live are those of the folder, bit for bit, and none spans a gap (laws 1 and 4)."""
        live = {line["index"]: line["logit"] for line in self.results}
        assert len(live) == len(self.results), "a window has two results"
        same(live, {window.index: hashed(window.x_uv.tobytes()) for window in self.windows})
        fates = {"scored": len(live), "not_scored": 0, "dead_lettered": 0, "unrecorded": 0}
        same(counted, {"made": len(live), "published": len(live), **fates})
        places, _ = self.places()
        came = np.zeros(self.planned + 1, bool)
        came[places[places >= 0]] = True
        for window in self.windows:
            n_came = np.count_nonzero(came[window.first_sample : window.first_sample + len(window.x_uv)])
            assert n_came + window.n_bridged == len(window.x_uv), f"window {window.index} spans a gap"

    def _check_sent(self, sent: Sequence[tuple[Script, int]]) -> None:
        """What is recorded is what was sent, value for value and in order, from one sample of each amplifier on."""
        owner = self.rows[:, AMP].astype(int)
        assert (np.diff(owner) >= 0).all(), "an amplifier is heard after its successor"
        for script, n_sent in sent:
            amp = int(script.samples[0, AMP])
            heard = self.rows[owner == amp]
            if not len(heard):
                continue
            first, stretches = 0, 0
            while len(heard):
                first += int(np.flatnonzero(script.index[first:] == int(heard[0, INDEX]))[0])
                assert first + len(heard) <= n_sent, "more is recorded than was sent"
                sent_then = script.samples[first : first + len(heard)]
                n = _alike(heard, sent_then)
                assert n, "what is recorded was not sent"
                heard, first, stretches = heard[n:], first + n, stretches + 1
            # What an amplifier sends while its connection is broken is nobody's.
            assert stretches <= 1 + self.states.count("LOST"), "samples are missing from what was sent"
        assert set(owner) <= {int(script.samples[0, AMP]) for script, _ in sent}

    # -- where the samples are --------------------------------------------------------------------

    @property
    def index(self) -> NDArray[np.int64]:
        """The device's own number of each recorded sample."""
        return self.rows[:, INDEX].astype(np.int64)

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the grid place of each recorded sample (-1 for one that was not taken), and the places lost."""
        places = np.full(len(self.rows), -1)
        lost: list[NDArray[np.int64]] = []
        grid = at = 0
        for decision in [*self.decisions, Decision("end", 1, 0, len(self.rows))]:
            n = max(0, decision.at - at)
            places[at : at + n] = np.arange(grid, grid + n)
            grid, at = grid + n, at + n
            if decision.kind in ("lost", "bridged"):
                lost.append(np.arange(grid, grid + decision.data["n"]))
                grid += decision.data["n"]
            elif decision.kind == "reject":
                at += decision.data["n"]
        return places, np.concatenate([np.zeros(0, np.int64), *lost])

    def spans(self) -> list[tuple[int, int]]:
        """Return the stretches of the grid whose samples came, by the device's own count."""
        index = self.index
        breaks = np.flatnonzero(np.diff(index) != 1)
        return list(zip(index[[0, *(breaks + 1)]].tolist(), (index[[*breaks, -1]] + 1).tolist(), strict=True))

    # -- in words -----------------------------------------------------------------------------------

    @property
    def decided(self) -> list[str]:
        """The decisions on the samples, a line each; those that reject sample after sample are one line."""
        lines = []
        for (kind, reason), group in groupby(self.decisions, lambda d: (d.kind, d.data.get("reason"))):
            decisions = list(group)
            if kind == "reject":
                lines.append(f"reject {sum(d.data['n'] for d in decisions)}: {reason}")
            else:
                lines += [_WORDS[kind].format(**d.data) for d in decisions if kind in _WORDS]
        return lines

    @property
    def states(self) -> list[str]:
        """The states of the source, as the screen was told."""
        return [event.data["state"] for event in self.events if event.type == "source"]

    @property
    def notices(self) -> list[str]:
        """The notices, as the screen was told."""
        return [event.data["text"] for event in self.events if event.type == "notice"]

    def saw(self, *states: str) -> bool:
        """Tell whether the source was in these states one after the other, whatever was between."""
        rest = iter(self.states)
        return all(state in rest for state in states)

    def check(
        self,
        *spans: tuple[int, int],
        bridged: int = 0,
        rejected: Mapping[str, int] | None = None,
        clock_resets: int = 0,
        shift: Mapping[int, int] | None = None,
    ) -> None:
        """Compare ledger, windows and places with what the spans of the grid that came demand.

        Parameters
        ----------
        spans : (int, int)
            First sample and the one after the last of each segment, bridged ones included.
        bridged : int
            Samples of them that a line stands for.
        rejected : mapping of str to int
            Samples that were not taken, by reason.
        clock_resets : int
            Jumps of the clock.
        shift : mapping of int to int
            From which number of the device's on a sample's place is how much behind it; nowhere by default.
        """
        ledger, windows = expected(
            spans, self.planned, bridged=bridged, rejected=rejected or {}, clock_resets=clock_resets
        )
        same(dict(self.ledger), ledger)
        same([(window.segment, window.first_sample) for window in self.windows], windows)
        places, lost = self.places()
        taken = places >= 0
        behind = np.zeros(int(taken.sum()), np.int64)
        for first, by in (shift or {}).items():
            behind[self.index[taken] >= first] = by
        assert np.array_equal(places[taken], self.index[taken] - behind), "a sample is not where it belongs"
        assert np.array_equal(np.sort([*places[taken], *lost]), np.arange(self.planned)), "a place is unaccounted for"


def same(found: object, expected: object) -> None:
    """Compare, and show both where they differ."""
    assert found == expected, f"found:    {found}\nexpected: {expected}"


def expected(
    spans: Sequence[tuple[int, int]], planned: int, *, bridged: int, rejected: Mapping[str, int], clock_resets: int
) -> tuple[dict[str, Any], list[tuple[int, int]]]:
    """Return the ledger of a session of which these spans came, and (segment, first sample) of each of its windows."""
    n_samples, settling = SMALL.window.n_samples, SMALL.window.settling
    placed = sum(stop - first for first, stop in spans)
    settled = [max(0, stop - first - settling) for first, stop in spans]
    left = [n % n_samples for n in settled]
    ended_inside = bool(spans) and spans[-1][1] == planned
    ledger = {
        "received": placed - bridged,
        "declared_lost": planned - placed + bridged,
        "bridged": bridged,
        "in_windows": sum(settled) - sum(left),
        "discarded": {
            "settling": placed - sum(settled),
            "gap": planned - placed,
            "partial": sum(left[:-1] if ended_inside else left),
            "end": left[-1] if ended_inside else 0,
        },
        "pending": 0,
        "rejected": {"duplicate": 0, "backward": 0, **rejected},
        "clock_resets": clock_resets,
        "balanced": True,
    }
    windows = [
        (segment, first + settling + k * n_samples)
        for segment, (first, _) in enumerate(spans)
        for k in range(settled[segment] // n_samples)
    ]
    return ledger, windows
