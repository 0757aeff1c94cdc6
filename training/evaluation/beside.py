"""The paper's rows (its Tables 1, 2 and 3, and the AUCs of its Figure 1) and ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: What each table of the paper is about.
TABLES = {1: "fMRI alone", 2: "EEG and EMG alone", 3: "fusion of both"}
#: What the two tables of slices have in common: the ten rows were searched for tables of right and wrong calls.
OF_SLICES = (
    "Macro averages on its validation set. Its unit is not stated: all ten rows of Tables 1 and 3 fit together only "
    "325 items (189 and 136), or multiples, so they are slices of 13 to 16 patients."
)
#: What the AUCs of its Figure 1 are to be read with.
OF_AUCS = "The AUCs are those of its Figure 1, which states no N: they need not be of the items that the rest is of."
#: Said of an AUC that does not go with its row.
BELOW = (
    "Its AUC lies below its own balanced accuracy (the macro recall), as that of no ROC curve does that runs through "
    "these calls without a dent."
)
#: Shi et al., Front Neurosci 2025, 19:1616957: table, model, accuracy, recall, F1, precision (the order of its
#: columns), AUC of its Figure 1, note.
PAPER: tuple[tuple[int, str, float, float, float, float, float | None, str], ...] = (
    (1, "FBNet", 0.7138, 0.7416, 0.7132, 0.7524, None, ""),
    (1, "GhostNet", 0.6338, 0.6275, 0.6264, 0.6259, None, ""),
    (1, "RegNet", 0.6123, 0.6667, 0.5917, 0.7595, None, ""),
    (1, "ShuffleNet", 0.7169, 0.6896, 0.6928, 0.7191, None, ""),
    (
        1,
        "ResNet50",
        0.5815,
        0.5,
        0.3677,
        0.2908,
        None,
        "These are the figures of one answer for everybody: 189 of 325.",
    ),
    (2, "LSTM", 0.68, 0.6833, 0.6753, 0.6763, None, ""),
    (3, "FBNet_LSTM", 0.8, 0.7652, 0.7741, 0.8507, 0.6381, ""),
    (3, "GhostNet_LSTM", 0.7754, 0.7368, 0.7426, 0.8308, 0.8175, ""),
    (3, "RegNet_LSTM", 0.76, 0.7287, 0.7343, 0.7819, 0.7263, ""),
    (3, "ShuffleNet_LSTM", 0.8031, 0.774, 0.7829, 0.833, 0.8665, "One slice ahead of FBNet_LSTM: 261 of 325, not 260."),
    (3, "ResNet50_LSTM", 0.6615, 0.709, 0.6508, 0.7764, 0.8114, ""),
)
#: By table: the unit, its number, and what the four figures were found to fit.
UNITS: Mapping[int, tuple[str, int | None, str]] = {
    1: ("slice, not stated", 325, OF_SLICES),
    2: (
        "not stated",
        None,
        "Macro averages on its validation set, by the four figures themselves: they fit 7 of 10 and 10 of 15 right, or "
        "multiples, so N is 25 or a multiple, which is neither its 13 test patients nor their 702 windows.",
    ),
    3: ("slice, not stated", 325, f"{OF_SLICES} {OF_AUCS}"),
}
#: Added to our rows where patients are simulated.
SIMULATED = "simulated patients: not to be compared with the paper's"
#: Measures that the paper gives as means of both outcomes.
MACRO = ("recall", "precision", "f1")


def paper_table(models: Sequence[Mapping[str, Any]], origin: str, table: int = 2) -> list[dict[str, Any]]:
    """Return the paper's rows of a table, then one for each of our models with the same macro averages, over patients.

    A network of slices has a second row, over slices.

    Parameters
    ----------
    models : sequence of mapping
        ``models`` of an evaluation.
    origin : str
        Of the cohort.
    table : int
        Number of the paper's table.
    """
    return [*_papers(table), *(row for model in models for row in _ours(model, origin, table))]


def _papers(table: int) -> list[dict[str, Any]]:
    unit, n, words = UNITS[table]
    return [
        {
            "table": table,
            "model": model,
            "unit": unit,
            "n": n,
            "accuracy": accuracy,
            "recall": recall,
            "precision": precision,
            "f1": f1,
            "auc": auc,
            "source": "paper",
            "note": " ".join(filter(None, (note, _below(recall, auc), words if number == 0 else ""))),
        }
        for number, (model, accuracy, recall, f1, precision, auc, note) in enumerate(
            row[1:] for row in PAPER if row[0] == table
        )
    ]


def _below(recall: float, auc: float | None) -> str:
    return BELOW if auc is not None and auc < recall else ""


def _ours(model: Mapping[str, Any], origin: str, table: int) -> list[dict[str, Any]]:
    note = "macro averages, out of fold" + (f"; {SIMULATED}" if origin != "clinical" else "")
    head = {"table": table, "model": model["name"], "source": "here"}
    figures, slices = model["figures"], model.get("slice_level")
    rows = [
        head
        | {"unit": model["unit"], "n": model["n"], "note": note, "accuracy": figures["accuracy"]["value"]}
        | {key: figures[f"{key}_macro"]["value"] for key in MACRO}
        | {"auc": figures["auc"]["value"]}
    ]
    if slices:
        of_slices = {"unit": "slice", "n": slices["n"], "note": f"{note}; {slices['note']}"}
        numbers = {"accuracy": slices["accuracy"], "auc": slices["auc"]}
        rows.append(head | of_slices | numbers | {key: slices[f"{key}_macro"] for key in MACRO})
    return rows
