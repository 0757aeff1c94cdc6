"""Two streams in one montage: how what was recorded of both is read back as one recording.

The record is a zip (law 2): the k-th sample of the signal that was taken and the k-th sample of its partner that was
taken belong to the same sample of the grid. What was not taken is a decision: ``reject`` of the signal's samples,
``unpaired`` of the partner's. So a pair is read back without a look at any stamp, and the pairing obeyed, never redone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.errors import RecordingError
from acquisition.items import PARTNER, SIGNAL

if TYPE_CHECKING:
    from acquisition.recording import Recording


def partner_columns(labels: Sequence[str], partner_labels: Sequence[str]) -> tuple[int, ...]:
    """Return the partner's columns that stand beside the signal's: those whose label the signal has not."""
    own = {label.strip().casefold() for label in labels}
    return tuple(n for n, label in enumerate(partner_labels) if label.strip().casefold() not in own)


@dataclass(frozen=True)
class Zip:
    """Which samples of one part were taken, and its decisions as of one stream.

    Parameters
    ----------
    rows : ndarray of int
        The signal's samples that were taken.
    partners : ndarray of int
        The partner's sample in each of these.
    decisions : tuple of Decision
        By their places, all of them the signal's: those of the partner stand before the row that its next sample
        that was taken is in.
    """

    rows: NDArray[np.intp]
    partners: NDArray[np.intp]
    decisions: tuple[Decision, ...]


def zipped(n_rows: int, n_partners: int, decisions: Sequence[Decision], *, subject: str) -> Zip:
    """Obey the decisions of one part that say which samples belong together.

    A part that a crash ended may be cut anywhere: decisions then hold for the samples there are, and samples of the
    partner whose row was not written any more are unpaired here.

    Parameters
    ----------
    n_rows, n_partners : int
        Whole samples of the signal and of its partner.
    decisions : sequence of Decision
        Those of the part, in the order in which they were taken.
    subject : str
        What they are of, for the refusal.

    Raises
    ------
    RecordingError
        If rows were taken whose partner is not there.
    """
    rejected = _Untaken(n_rows)
    unpaired = _Untaken(n_partners)
    obeyed = []
    for decision in decisions:
        if decision.kind == "reject" and decision.stream == SIGNAL:
            decision = rejected.obey(decision)
        elif decision.kind == "unpaired" and decision.stream == PARTNER:
            decision = unpaired.obey(decision)
        obeyed.append(decision)
    rows, partners = rejected.taken, unpaired.taken
    surplus = len(partners) - len(rows)
    if surplus < 0:
        message = f"{subject} has {len(rows)} samples that were paired, and {len(partners)} of their partner."
        raise RecordingError(message, subject=subject, remedy="Restore the session's folder from a copy.")
    places = np.append(rows, np.full(surplus + 1, n_rows))
    own = [_as_signal(decision, partners, places) for decision in obeyed]
    if surplus:
        part = decisions[0].part if decisions else 1
        left = Decision("unpaired", part, SIGNAL, n_rows, {"n": surplus, "reason": "absent"})
        own.insert(len(own) - (bool(own) and own[-1].kind == "end"), left)
    return Zip(rows, partners[: len(rows)], tuple(sorted(own, key=lambda decision: decision.at)))


class _Untaken:
    """The samples of one stream that decisions leave out."""

    def __init__(self, n_samples: int) -> None:
        self._mask = np.ones(n_samples, bool)
        self._reached = 0

    def obey(self, decision: Decision) -> Decision:
        """Leave samples out; return the decision over those there are."""
        start = max(decision.at, self._reached)
        n = min(decision.count("n"), max(len(self._mask) - start, 0))
        self._reached = start + n
        self._mask[start : self._reached] = False
        return decision if n == decision.data["n"] else replace(decision, data={**decision.data, "n": n})

    @property
    def taken(self) -> NDArray[np.intp]:
        return np.flatnonzero(self._mask)


def _as_signal(decision: Decision, partners: NDArray[np.intp], places: NDArray[np.intp]) -> Decision:
    """Address a decision of the partner by the rows of the signal, of which ``places`` has one for each partner."""
    if decision.stream != PARTNER:
        return decision
    return replace(decision, stream=SIGNAL, at=int(places[np.searchsorted(partners, decision.at)]))


def join(signal: Recording, partner: Recording, decisions: Sequence[Decision]) -> tuple[Recording, list[Decision]]:
    """Read two streams that were paired as one recording.

    Parameters
    ----------
    signal, partner : Recording
        Both streams of one part, all their samples.
    decisions : sequence of Decision
        Those of the part, on both streams, in the order in which they were taken.

    Returns
    -------
    Recording
        All rows of the signal, so that its decisions keep their places, and beside its columns those of the partner
        whose labels it has not; these are 0 in rows that were not taken. In the type that holds both exactly.
    list of Decision
        All on stream 0; ``unpaired`` and ``slip`` before the row that the partner's next sample is in.

    Raises
    ------
    RecordingError
        If rows were taken whose partner is not there.
    """
    zipped_ = zipped(len(signal.stamps), len(partner.stamps), decisions, subject=str(signal.path))
    columns = list(partner_columns(signal.labels, partner.labels))
    n_own = signal.samples.shape[1]
    samples: NDArray[Any] = np.zeros(
        (len(signal.stamps), n_own + len(columns)), np.result_type(signal.samples, partner.samples)
    )
    with np.errstate(invalid="ignore"):  # a NaN that signals is one like any other
        samples[:, :n_own] = signal.samples
        samples[zipped_.rows, n_own:] = partner.samples[zipped_.partners][:, columns]
    samples.setflags(write=False)
    joined = replace(
        signal,
        samples=samples,
        labels=(*signal.labels, *(partner.labels[column] for column in columns)),
        units=(*signal.units, *(partner.units[column] for column in columns)),
        partner_from=n_own,
    )
    return joined, list(zipped_.decisions)
