"""A model's AUC in parts of the cohort: looks, not tests.

``leave-one-site-out`` fits the baselines anew to all sites but one and judges them on that one. No network is trained
anew here: its rows by site are of networks that have seen other patients of the site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from training.baselines import Table, fold_predictions
from training.cohort.participants import Participant
from training.evaluation.figures import auc_of
from training.evaluation.scores import Scores, models_of
from training.splitting.splits import Fold

#: Days since onset at which one group ends and the next begins: two weeks, one month, three months.
EDGES_DAYS = (14.0, 30.0, 90.0)
#: What is said of a patient whose table does not say.
UNKNOWN = "not stated"


def groups(
    models: Sequence[Scores], participants: Mapping[str, Participant], table: Table | None
) -> list[dict[str, Any]]:
    """Return the AUC of the first model, and of baselines for sites left out, in each part of the cohort.

    Parameters
    ----------
    models : sequence of Scores
        Networks first.
    participants : mapping of str to Participant
        By pseudonym.
    table : Table or None
        What baselines are fitted to; without it no site is left out.
    """
    rows: list[dict[str, Any]] = []
    for by, part_of in PARTS.items():
        values = np.array([part_of(participants[patient]) for patient in models[0].patients])
        if len(np.unique(values)) > 1:
            rows += [_row(by, value, models[0], values == value) for value in np.unique(values)]
    return rows + (list(_sites_left_out(participants, table)) if table is not None else [])


def days_group(days: float | None) -> str:
    """Return the words for a time since onset.

    Examples
    --------
    >>> days_group(20.0)
    '14 to 30 days'
    """
    if days is None:
        return UNKNOWN
    above = [edge for edge in EDGES_DAYS if days >= edge]
    below = [edge for edge in EDGES_DAYS if days < edge]
    if not above:
        return f"below {below[0]:g} days"
    return f"{above[-1]:g} to {below[0]:g} days" if below else f"{above[-1]:g} days and more"


#: By what patients are grouped, and how.
PARTS: dict[str, Callable[[Participant], str]] = {
    "site": lambda participant: participant.site or UNKNOWN,
    "infarct_territory": lambda participant: participant.infarct_territory or UNKNOWN,
    "days_since_onset": lambda participant: days_group(participant.days_since_onset),
}


def _sites_left_out(participants: Mapping[str, Participant], table: Table) -> Iterator[dict[str, Any]]:
    """Yield how each baseline does at each site when it was fitted to the others."""
    sites = np.array([PARTS["site"](participants[patient]) for patient in table.patients])
    names = np.array(table.patients)
    folds = [
        Fold(f"without {site}", 0, k, tuple(names[sites != site]), (), tuple(names[sites == site]))
        for k, site in enumerate(np.unique(sites))
        if len(np.unique(sites)) > 1
    ]
    for model in models_of(fold_predictions(table, folds)):
        at = np.array([PARTS["site"](participants[patient]) for patient in model.patients])
        if model.model != "majority":
            yield from (_row("leave-one-site-out", site, model, at == site) for site in np.unique(at))


def _row(by: str, value: Any, model: Scores, wanted: Any) -> dict[str, Any]:
    good = model.good[wanted]
    return {
        "by": by,
        "value": str(value),
        "model": model.model,
        "n": len(good),
        "n_good": int(good.sum()),
        "auc": auc_of(model, wanted),
    }
