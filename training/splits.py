"""Splits: each patient belongs to one part of a run, and the parts share nobody (law 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

#: What the patients of a run are for, and which share of them: they train the network, stop its training, fit the
#: calibration, or are kept for the figures on the card.
PARTS = {"train": 0.5, "stop": 0.14, "calibrate": 0.18, "test": 0.18}


def split(labels: Sequence[bool], seed: int, parts: Mapping[str, float] = PARTS) -> dict[str, list[int]]:
    """Deal patients to the parts, each with about the same share of good outcomes.

    Parameters
    ----------
    labels : sequence of bool
        Outcome of each patient.
    seed : int
        Of the dealing.
    parts : mapping of str to float
        Share of each part; the shares sum to 1.

    Returns
    -------
    dict of str to list of int
        Positions of the patients, rising; every one in exactly one part.

    Raises
    ------
    ValueError
        If some part would lack patients of one outcome.

    Examples
    --------
    >>> split([True, False] * 4, seed=0, parts={"train": 0.5, "test": 0.5})
    {'train': [1, 4, 5, 6], 'test': [0, 2, 3, 7]}
    """
    rng = np.random.default_rng(seed)
    dealt: dict[str, list[int]] = {part: [] for part in parts}
    edges = np.cumsum([0.0, *parts.values()])
    for outcome in (False, True):
        members = rng.permutation(np.flatnonzero(np.asarray(labels) == outcome))
        cuts = np.round(edges * len(members)).astype(int)
        for part, first, end in zip(parts, cuts[:-1], cuts[1:], strict=True):
            if first == end:
                word = "good" if outcome else "poor"
                raise ValueError(
                    f"{len(members)} patients of {word} outcome are too few for part {part!r}: add patients"
                )
            dealt[part] += members[first:end].tolist()
    return {part: sorted(members) for part, members in dealt.items()}
