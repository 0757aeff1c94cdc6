"""The evaluation of a run of fusions: every fusion beside the heads that it is made of, on patients that have both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from training.cohort.participants import Participant
from training.evaluation.beside import paper_table
from training.evaluation.dealt_anew import weighed_anew
from training.evaluation.figures import model_figures, paired
from training.evaluation.groups import groups
from training.evaluation.listing import patients
from training.evaluation.scores import Scores
from training.evaluation.sureness import Sureness
from training.runs.predictions import Prediction

#: Number of the paper's table of fusions.
TABLE = 3
#: What a model of the run is, in the order of the tables: fused by the method that was asked for, by another one, a
#: network alone, a baseline.
KINDS = ("fusion", "variant", "head", "baseline")


def fusion_evaluation_of(
    predictions: Sequence[Prediction],
    participants: Mapping[str, Participant],
    origin: str,
    how: Sureness,
    made: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the figures of a run of fusions: everything but what is said of the run and of the two that it is made of.

    Parameters
    ----------
    predictions : sequence of Prediction
        Calibrated log-odds of fusions and heads, logits of baselines.
    participants : mapping of str to Participant
        By pseudonym.
    origin : str
        Of the cohort.
    how : Sureness
    made : mapping
        ``fusion`` of the run's record: its models in order, their heads, method and weights.
    """
    said = {model["name"]: model for model in made["models"]}
    scores = {name: Scores.calibrated_before(predictions, name) for name in said}
    others = sorted({row.model for row in predictions} - said.keys())
    baselines = {name: one for name in others if (one := Scores.of(predictions, name)).both_outcomes}
    ordered = sorted(said, key=lambda name: KINDS.index(said[name]["kind"]))
    models = [*(scores[name] for name in ordered), *baselines.values()]
    figures = [model_figures(m, how.seed, how.bootstrap, said.get(m.model, {}).get("kind", KINDS[-1])) for m in models]
    first = said[models[0].model]
    heads = [scores[name] for name in first["heads"]]
    fusions = [model for model in figures if model["kind"] == KINDS[0]]
    return {
        "models": figures,
        "paired": paired(models, how.seed, _pairs(said, scores, list(baselines.values()))),
        "permuted": weighed_anew(models[0], heads[0], heads[1], first["method"], how.permutations, how.seed),
        "groups": groups(models, participants, None),
        "paper_table": paper_table(fusions, origin, TABLE),
        "fma": None,
        "ordinal": None,
        "fusion": dict(made),
        "patients": patients(models, participants, {}),
    }


def _pairs(
    said: Mapping[str, Mapping[str, Any]], scores: Mapping[str, Scores], baselines: Sequence[Scores]
) -> Iterator[tuple[Scores, Scores]]:
    """Yield what is compared: each fusion with its heads; the first with its other methods, others and baselines."""
    fusions = [name for name, model in said.items() if model["kind"] == KINDS[0]]
    for name in fusions:
        yield from ((scores[name], scores[head]) for head in said[name]["heads"])
    first = said[fusions[0]]
    variants = [name for name, m in said.items() if m["kind"] == KINDS[1] and m["heads"] == first["heads"]]
    for name in (*variants, *fusions[1:]):
        yield scores[fusions[0]], scores[name]
    yield from ((scores[fusions[0]], baseline) for baseline in baselines)
