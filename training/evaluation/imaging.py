"""The evaluation of a run on scans: image networks, and the baselines that know the table of patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.cohort.participants import Participant
from training.errors import RunError
from training.evaluation.beside import paper_table
from training.evaluation.dealt_anew import dealt_anew
from training.evaluation.figures import model_figures, paired
from training.evaluation.groups import groups
from training.evaluation.listing import patients
from training.evaluation.scores import Scores, models_of
from training.evaluation.sureness import Sureness
from training.runs.predictions import Prediction

#: Number of the paper's table of image networks.
TABLE = 1


def image_evaluation_of(
    predictions: Sequence[Prediction],
    participants: Mapping[str, Participant],
    origin: str,
    how: Sureness,
    aggregation: str,
) -> dict[str, Any]:
    """Return the figures of a run on scans: everything but what is said of the run and where its networks looked.

    Parameters
    ----------
    predictions : sequence of Prediction
        Of every model; networks have rows of slices, and of patients, which are made anew from them.
    participants : mapping of str to Participant
        By pseudonym.
    origin : str
        Of the cohort.
    how : Sureness
    aggregation : str
        How a patient's logit comes of those of the slices.

    Raises
    ------
    RunError
        If no network has judged patients of both outcomes.
    """
    models = models_of(predictions, aggregation)
    networks = [model for model in models if model.network]
    if not networks:
        raise RunError(
            "No network of the run has judged patients of both outcomes, so there is nothing to evaluate.",
            subject="predictions.csv",
            remedy="Let the training finish, or add patients.",
        )
    figures = [model_figures(model, how.seed, how.bootstrap) for model in models]
    return {
        "models": figures,
        "paired": paired(models, how.seed),
        "permuted": dealt_anew(networks[0], how.permutations, how.seed),
        "groups": groups(models, participants, None),
        "paper_table": paper_table(figures, origin, TABLE),
        "fma": None,
        "ordinal": None,
        "patients": patients(models, participants, {}, slices_of(networks)),
    }


def slices_of(networks: Sequence[Scores]) -> dict[str, int]:
    """Return how many slices each patient has."""
    counted = [one for one in networks if one.unit == "slice"]
    return {patient: int(n) for one in counted[:1] for patient, n in zip(one.patients, one.n_windows, strict=True)}
