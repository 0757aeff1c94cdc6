"""The paper's row for EEG and EMG (its Table 2) and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Shi et al., Front Neurosci 2025, 19:1616957, Table 2; there the columns are accuracy, recall, F1, precision. What
#: tables of right and wrong calls give these four numbers was searched for: 7 of 10 and 10 of 15, or multiples.
PAPER: Mapping[str, Any] = {
    "model": "LSTM",
    "unit": "not stated",
    "n": None,
    "accuracy": 0.68,
    "recall": 0.6833,
    "precision": 0.6763,
    "f1": 0.6753,
    "source": "paper",
    "note": (
        "Macro averages on its validation set, by the four figures themselves: they fit 7 of 10 and 10 of 15 right, or "
        "multiples, so N is 25 or a multiple, which is neither its 13 test patients nor their 702 windows."
    ),
}
#: Added to our rows where patients are simulated.
SIMULATED = "simulated patients: not to be compared with the paper's"


def paper_table(models: Sequence[Mapping[str, Any]], origin: str) -> list[dict[str, Any]]:
    """Return the paper's row, then one for each of our models with the same macro averages, over patients."""
    note = "macro averages, out of fold" + (f"; {SIMULATED}" if origin != "clinical" else "")
    ours = [
        {
            "model": model["name"],
            "unit": model["unit"],
            "n": model["n"],
            "accuracy": model["figures"]["accuracy"]["value"],
            **{key: model["figures"][f"{key}_macro"]["value"] for key in ("recall", "precision", "f1")},
            "source": "here",
            "note": note,
        }
        for model in models
    ]
    return [dict(PAPER), *ours]
