"""Co-contraction: how much of both sides of the thigh's work is done against each other.

``100 * 2 * sum(min(e, f)) / sum(e + f)`` (Falconer and Winter 1985; Winter 1990), e and f the linear envelopes of the
extensors (RF, VM) and the flexors (BF, ST), over a whole movement: 0 when they never fire together, 100 when they fire
alike. Each muscle is first divided by its own level in the movement that it makes, as no maximal contraction is known;
each side is the mean of its two muscles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from acquisition.measures.conditioned import Conditioned
from acquisition.measures.envelope import envelope
from acquisition.measures.epochs import Selection, select
from acquisition.measures.intervals import MIN_TRIALS
from acquisition.measures.measurement import Measurement, Subject, absent
from acquisition.measures.onset import AGONISTS
from acquisition.paradigm import MOVEMENTS

Array = NDArray[np.float64]

#: Edge of the linear envelope in Hz: about as slow as the force that a muscle makes (Winter 1990).
CUTOFF_HZ = 6.0
#: Least length of a movement in s.
LEAST_S = 0.5
MUSCLES = tuple(muscle for muscles in AGONISTS.values() for muscle in muscles)


def cocontraction(signal: Conditioned) -> tuple[Measurement, ...]:
    """Return the co-contraction of extensors and flexors in each movement, in per cent."""
    lacking = signal.lacks(MUSCLES)
    if lacking:
        return tuple(Measurement.without(_subject(phase), {}, absent(lacking)) for phase in MOVEMENTS)
    selections = {phase: select(signal, (phase,), MUSCLES, LEAST_S) for phase in MOVEMENTS}
    envelopes = {muscle: _envelopes(signal, muscle, list(selections.values())) for muscle in MUSCLES}
    if min(len(selection.epochs) for selection in selections.values()) < MIN_TRIALS:
        return tuple(_too_few(phase, selections) for phase in MOVEMENTS)
    levels = {
        muscle: level(selections[phase], phase, envelopes[muscle]) for phase, own in AGONISTS.items() for muscle in own
    }
    scaled = {muscle: _scaled(envelopes[muscle], levels[muscle]) for muscle in MUSCLES}
    return tuple(_of_phase(phase, selections[phase], scaled) for phase in MOVEMENTS)


def index(extensors: Array, flexors: Array) -> float:
    """Return the co-contraction of two envelopes on one scale, in per cent.

    Examples
    --------
    >>> index(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    66.66666666666667
    """
    return float(100.0 * 2.0 * np.minimum(extensors, flexors).sum() / (extensors + flexors).sum())


def level(selection: Selection, phase: str, envelopes: Mapping[int, Array]) -> float:
    """Return how strongly a muscle fires in a movement: the median over trials of its mean envelope."""
    return float(np.median([epoch.cut(envelopes, phase).mean() for epoch in selection.epochs]))


def _of_phase(phase: str, selection: Selection, scaled: Mapping[str, Mapping[int, Array]]) -> Measurement:
    def side(movement: str, epoch: int) -> Array:
        own = [selection.epochs[epoch].cut(scaled[muscle], phase) for muscle in AGONISTS[movement]]
        return np.asarray(np.mean(own, axis=0))

    values = [index(side("extension", epoch), side("flexion", epoch)) for epoch in range(len(selection.epochs))]
    return Measurement.of_trials(_subject(phase), values, selection.left_out)


def _envelopes(signal: Conditioned, muscle: str, selections: Sequence[Selection]) -> dict[int, Array]:
    (column,) = signal.columns([muscle])
    everywhere = Selection(tuple(epoch for selection in selections for epoch in selection.epochs), {})
    # The filter may ring below 0 right before a burst; a muscle cannot fire less than not at all.
    return everywhere.traces(signal, column, lambda x_uv: np.maximum(envelope(x_uv, signal.rate_hz, CUTOFF_HZ), 0.0))


def _scaled(envelopes: Mapping[int, Array], whole: float) -> dict[int, Array]:
    return {stretch: own / whole for stretch, own in envelopes.items()}


def _subject(phase: str) -> Subject:
    return Subject("co-contraction", "RF+VM against BF+ST", phase, "%")


def _too_few(phase: str, selections: Mapping[str, Selection]) -> Measurement:
    """Both movements are needed: each gives the scale of the muscles that make it."""
    counts = ", ".join(f"{len(own.epochs)} of {MIN_TRIALS} in {name}" for name, own in selections.items())
    own = selections[phase]
    return Measurement.without(_subject(phase), own.left_out, f"not enough trials: {counts}", len(own.epochs))
