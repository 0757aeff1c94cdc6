"""The evaluation of a run of fusions: every fusion beside the heads that it is made of, on patients that have both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from training.cohort.participants import Participant
from training.errors import RunError
from training.evaluation.beside import paper_table
from training.evaluation.dealt_anew import weighed_anew
from training.evaluation.figures import model_figures, paired
from training.evaluation.groups import groups
from training.evaluation.listing import patients
from training.evaluation.scores import Scores
from training.evaluation.sureness import Sureness
from training.fusion.sources import UNITS, Source
from training.runs.predictions import Prediction
from training.runs.run_folder import RunFolder

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
    networks: tuple[Scores, Scores],
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
    networks : tuple of Scores
        Of the first fusion's heads; see ``networks_of``.

    Raises
    ------
    RunError
        If the networks said nothing of a patient that was fused, or judged it with another outcome.
    """
    said = {model["name"]: model for model in made["models"]}
    scores = {name: Scores.calibrated_before(predictions, name) for name in said}
    others = sorted({row.model for row in predictions} - said.keys())
    baselines = {name: one for name in others if (one := Scores.of(predictions, name)).both_outcomes}
    ordered = sorted(said, key=lambda name: KINDS.index(said[name]["kind"]))
    models = [*(scores[name] for name in ordered), *baselines.values()]
    figures = [model_figures(m, how.seed, how.bootstrap, said.get(m.model, {}).get("kind", KINDS[-1])) for m in models]
    first = said[models[0].model]
    for network in networks:
        _require_same(network, models[0])
    fusions = [model for model in figures if model["kind"] == KINDS[0]]
    return {
        "models": figures,
        "paired": paired(models, how.seed, _pairs(said, scores, list(baselines.values()))),
        "permuted": weighed_anew(models[0], *networks, first["method"], how.permutations, how.seed),
        "groups": groups(models, participants, None),
        "paper_table": paper_table(fusions, origin, TABLE),
        "fma": None,
        "ordinal": None,
        "fusion": dict(made),
        "patients": patients(models, participants, {}),
    }


def networks_of(run: RunFolder) -> tuple[Scores, Scores]:
    """Return what the heads of a run's first fusion said, not calibrated, of everybody whom each has judged.

    Raises
    ------
    RunError
        If one of the two runs is not there, or not done.
    BundleError
        If its bundle cannot be trusted.
    """
    made = run.record["fusion"]
    first = next(model for model in made["models"] if model["kind"] == KINDS[0])
    eeg_emg, fmri = (Source.of(source_path(run, made["runs"][modality]), modality) for modality in UNITS)
    of_eeg, of_fmri = first["heads"]
    return eeg_emg.scores(of_eeg, eeg_emg.predictions), fmri.scores(of_fmri, fmri.predictions)


def source_path(run: RunFolder, said: Mapping[str, Any]) -> Path:
    """Return where a run lies that a run of fusions is made of."""
    return (run.path / Path(said["path"])).resolve()


def _require_same(network: Scores, fusion: Scores) -> None:
    """Refuse a network that has not said of everybody what was fused."""
    outcomes = dict(zip(network.patients, network.good, strict=True))
    wrong = [p for p, good in zip(fusion.patients, fusion.good, strict=True) if outcomes.get(p) != good]
    repeats = {rows[0].repeat for rows in fusion.rows} - {rows[0].repeat for rows in network.rows}
    if wrong or repeats:
        what = f"patient {wrong[0]}" if wrong else f"repeat {min(repeats)}"
        raise RunError(
            f"The run of {network.model} has other predictions than were fused: {what} differs.",
            subject=network.model,
            remedy="Restore its predictions.csv, or fuse both runs anew with flexion train fusion.",
        )


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
