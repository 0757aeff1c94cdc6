"""The tables of a report: plain cells with a caption, which the templates escape and give their scopes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.evaluation.beside import TABLES
from training.reporting.facts import Facts
from training.reporting.words import (
    MISSING,
    MODELS,
    count,
    dealt,
    figure,
    interval,
    listed,
    number,
    p_value,
    text,
    value_of,
)

Model = Mapping[str, Any]
#: The paper's figures stand beside ours on these, by their keys.
PAPER = ("accuracy", "recall", "precision", "f1")
#: Keys that read otherwise than as words.
NAMES = {"auc": "AUC", "accuracy_by_chance": "chance bar", "brier": "Brier"}
#: What a run took, by its keys.
COSTS = {
    "epochs": "epochs of all fits",
    "windows_per_s": "windows per second",
    "waiting_share": "share of that time spent waiting for data",
    "seconds": "whole training, s",
    "peak_anonymous_mb": "peak memory (anonymous), MB",
}
#: What the figures of that baseline are to be read with.
MAJORITY = (
    "The majority's number is the share of good outcomes of all patients, those it is judged on too, so that it ranks "
    "nobody; its accuracy, Brier score and intercept are a little better for that."
)
#: How a control is to be read, by what stays in it as it is when the labels are shuffled; nothing by default.
CONTROLS = {
    "": "On shuffled labels the mean must lie near 0.5; if it does not, something leaks.",
    "networks": "On shuffled labels the mean must lie near 0.5; if it does not, something leaks from calibrations or "
    "weights. The networks stay as they are, so that a leak in their training does not show in the mean: only z tells, "
    "how far the true labels lie from chance.",
    "scores": "The scores stay as they are, so that the mean lies near 0.5 whatever leaks: only z tells, how far the "
    "true labels lie from chance, found or leaked.",
}
#: Whose figures a row of that table has.
SOURCES = {"paper": "the paper", "here": "this run"}
#: What the paper does not say.
NOT_STATED = "not stated"
#: What a run is of, in words.
ABOUT = {"eeg_emg": "EEG and EMG", "fmri": "resting-state fMRI", "fusion": "EEG, EMG and resting-state fMRI"}


@dataclass(frozen=True)
class Table:
    """One table; the first cell of a row is its heading.

    Attributes
    ----------
    caption : str
        What it shows, with its unit.
    head : tuple of str
    rows : tuple of tuple of str
        As many cells each as the head has.
    note : str
        What it is to be read with; may be empty.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def ranking(models: Sequence[Model]) -> Table:
    """Return how well each model ranks patients."""
    return Table(
        "Ranking, unit patient, 95 % intervals",
        ("model", "n (good)", "AUC, DeLong", "AUC, bootstrap", "AUC within folds"),
        tuple(
            (
                row["name"],
                _n(row),
                figure(row["figures"].get("auc")),
                figure(row["figures"].get("auc_bootstrap")),
                _within(row["figures"].get("auc_within_fold")),
            )
            for row in models
        ),
        "AUC: the chance that a patient with a good outcome has the higher score; 0.5 is chance. Over all folds "
        "together a model that knows nothing lies a little below 0.5, as the folds' shares of outcomes differ.",
    )


def headline(models: Sequence[Model], initialised: str = "") -> Table:
    """Return the figures that a reader looks for first, chance beside accuracy; and the first weights of networks."""
    keys = ("auc", "accuracy", "accuracy_by_chance", "brier", "calibration_slope")
    return Table(
        _caption("Headline, unit patient, 95 % intervals", initialised),
        ("model", "n (good)", "AUC", "accuracy", "chance bar", "Brier", "calibration slope"),
        _rows(models, keys),
        "Chance bar: the accuracy that always saying the more frequent outcome stays below in 95 % of such cohorts "
        "(exact binomial). An accuracy that is not above it shows nothing. "
        f"{explained(models)} {shared(models)}{methods(models, keys)}",
    )


def classification(models: Sequence[Model]) -> Table:
    """Return accuracy, and recall, precision and F1 of the good outcome."""
    keys = ("accuracy", "accuracy_by_chance", "recall", "precision", "f1")
    return Table(
        "Good outcome called at a probability of one half, unit patient, 95 % intervals",
        ("model", "n (good)", "accuracy", "chance bar", "recall", "precision", "F1"),
        _rows(models, keys),
    )


def macro(models: Sequence[Model]) -> Table:
    """Return the means of both outcomes' recall, precision and F1."""
    return Table(
        "Macro: the mean over both outcomes, as the paper gives it, unit patient, 95 % intervals",
        ("model", "n (good)", "recall", "precision", "F1"),
        _rows(models, ("recall_macro", "precision_macro", "f1_macro")),
    )


def calibration(models: Sequence[Model]) -> Table:
    """Return how far probabilities can be taken at their word."""
    keys = ("brier", "calibration_intercept", "calibration_slope")
    return Table(
        "Calibration, unit patient, 95 % intervals",
        ("model", "n (good)", "Brier", "intercept", "slope"),
        _rows(models, keys),
        "At its best: intercept 0, slope 1. A slope below 1: too sure. Brier 0.25: always saying one half. "
        f"{uncalibrated(models)}{shared(models)}{methods(models, keys)}",
    )


def paired(pairs: Sequence[Model]) -> Table:
    """Return the differences of two models on the same patients."""
    return Table(
        "Paired differences in AUC on the same patients, 95 % intervals",
        ("pair", "difference", "p, DeLong", "p, permutation"),
        tuple(
            (f"{pair['a']} minus {pair['b']}", figure(pair["auc_difference"]), p_value(pair.get("p_delong")),
             p_value(pair.get("p_permutation")))
            for pair in pairs
        ),
        "Not corrected for the number of pairs.",
    )  # fmt: skip


def by_windows(row: Model) -> Table:
    """Return a model's figures after the first so many windows of each patient."""
    return Table(
        f"{row['name']} by number of windows, unit patient",
        ("windows", "patients", "AUC", "Brier", "intercept", "slope"),
        tuple(
            (str(step["n_windows"]), count(step["patients"]), figure(step["auc"]), figure(step["brier"], 3),
             figure(step["calibration_intercept"]), figure(step["calibration_slope"]))
            for step in row["by_windows"]
        ),
    )  # fmt: skip


def groups(rows: Iterable[Model]) -> Table:
    """Return AUCs in parts of the cohort."""
    return Table(
        "Parts of the cohort, unit patient, 95 % intervals",
        ("part", "by", "model", "n (good)", "AUC"),
        tuple(
            (text(row["value"]), _spaced(row["by"]), text(row.get("model")), _n(row), figure(row["auc"]))
            for row in rows
        ),
        "Small parts have wide intervals; one with too few patients of either outcome has no AUC. These are looks, not "
        "tests. Leave one site out, baselines only: fitted to the other sites, judged at this one; a network's row by "
        "site is of networks that learned from other patients of that site.",
    )  # fmt: skip


def papers(rows: Sequence[Model], initialised: str = "") -> list[Table]:
    """Return the tables of the paper that an evaluation has rows of, each beside ours."""
    found = sorted({row.get("table", 2) for row in rows})
    return [paper([row for row in rows if row.get("table", 2) == table], table, initialised) for table in found]


def paper(rows: Iterable[Model], table: int = 2, initialised: str = "") -> Table:
    """Return a table of the paper beside the figures of this run; its AUCs are those of its Figure 1."""
    about = f"The paper's Table {table} ({TABLES[table]}) and this run"
    return Table(
        _caption(about, initialised if table != 2 else ""),
        ("model", "source", "unit", "N", "accuracy", "recall", "precision", "F1", "AUC", "note"),
        tuple(
            (row["model"], SOURCES[row["source"]], text(row["unit"]), _stated(row["n"]),
             *(number(row[key], 4) for key in PAPER), _auc(row), row.get("note") or "")
            for row in rows
        ),
    )  # fmt: skip


def weights(fusions: Iterable[Model]) -> Table:
    """Return the weights of every fusion with their spread over resampled patients."""
    return Table(
        "Weights of the fusions, fitted to all patients that have both, 90 % intervals over resampled patients",
        ("fusion", "method", "EEG and EMG", "fMRI"),
        tuple(
            (row["name"], row["method"], *(weight(row["weights"][modality]) for modality in ("eeg_emg", "fmri")))
            for row in fusions
        ),
        "equal and logit_stack weigh calibrated log-odds, mean_prob probabilities (there the weights sum to 1). A wide "
        "interval: these patients hardly say which of the two to believe. The figures of this report are of weights "
        "that were fitted without the patient whom they judge.",
    )


def weight(told: Mapping[str, Any]) -> str:
    """Return a weight with its interval, where patients had a say."""
    bounds = told.get("interval")
    return number(told["value"]) if bounds is None else f"{number(told['value'])} {interval(bounds)}"


def chosen(counts: Mapping[str, int]) -> Table:
    """Return how many folds chose each network."""
    return Table(
        "Which network each fold chose, by the loss of its own stopping patients",
        ("network", "folds"),
        tuple((name, count(n)) for name, n in counts.items()),
        "Nobody who is judged had a say in it. cnn-chosen is, in each fold, that network.",
    )


def secondary(models: Iterable[Model]) -> Table:
    """Return the figures of single windows, or of single slices."""
    rows = list(models)
    unit = "slice" if any(row.get("slice_level") for row in rows) else "window"
    return Table(
        f"SECONDARY: unit {unit}, not patient",
        ("model", f"{unit}s", f"AUC over {unit}s", "note"),
        tuple(
            (row["name"], count(level["n"]), figure(level["auc"]), level.get("note") or "")
            for row in rows
            if (level := row.get(f"{unit}_level"))
        ),
        f"{unit.capitalize()}s of one patient resemble each other, so these figures and their intervals look better "
        "than they are.",
    )


def control(permuted: Model) -> Table:
    """Return what shuffled labels give."""
    return Table(
        "Permuted labels, unit patient",
        ("model", dealt(permuted), "mean AUC", "SD", "AUC with the true labels", "z"),
        ((permuted["model"], count(permuted["n"]), number(permuted["mean"]), number(permuted["sd"], 3),
          number(permuted["observed"]), number(permuted["z"], 1)),),
        CONTROLS[permuted.get("stays") or ""] + (f" Here: {permuted['how']}." if permuted.get("how") else ""),
    )  # fmt: skip


def scale(fma: Model) -> Table:
    """Return how well the Fugl-Meyer score itself is predicted."""
    return Table(
        "Fugl-Meyer score of the lower limb at 3 months, unit patient, in points of 34, 95 % intervals",
        ("n", "mean absolute error", "error of always saying the mean", "half width of the interval",
         "share inside it", "correlation"),
        ((count(fma["n"]), figure(fma["mae"], 1), number(fma.get("mae_of_mean"), 1),
          number(fma["interval_half_width"], 1), figure(fma["coverage"]), figure(fma["r"])),),
    )  # fmt: skip


def steps(ordinal: Model) -> Table:
    """Return how well it is told whether the score passes each step."""
    n = ordinal["n"]
    return Table(
        "Whether the score passes a step, unit patient, 95 % intervals",
        ("above", "n (above)", "AUC", "Brier"),
        tuple(
            (f"{step['above']} of 34", f"{count(n)} ({count(step['n_above'])})", figure(step["auc"]),
             figure(step["brier"]))
            for step in ordinal["steps"]
        ),
    )  # fmt: skip


def cost(training: Mapping[str, Any]) -> Table:
    """Return what the run took."""
    return Table(
        "What training took",
        ("figure", "value"),
        tuple((COSTS.get(key, _spaced(key)), _plain(value)) for key, value in training.items()),
    )


def provenance(facts: Facts) -> Table:
    """Return where every figure comes from."""
    run, cohort = facts.run, facts.cohort
    versions = ", ".join(f"{name} {version}" for name, version in (run.get("versions") or {}).items())
    rows = (
        ("run", run.get("name")),
        ("made (UTC)", run.get("made_utc")),
        ("origin", run.get("origin")),
        ("cohort", cohort.get("name")),
        ("cohort's table, SHA-256", cohort.get("sha256")),
        ("patients (with EEG; good)", f"{count(cohort.get('patients'))} ({count(cohort.get('with_eeg'))}; "
         f"{count(cohort.get('good'))})"),
        *([("with a scan", count(cohort["with_scan"]))] if "with_scan" in cohort else []),
        *([("first weights", facts.initialised)] if facts.initialised else []),
        *([("slices while training", facts.mirrored)] if facts.mirrored else []),
        *((f"run of {ABOUT[name]}", _source(one)) for name, one in (facts.fusion.get("runs") or {}).items()),
        ("split", f"profile {text(run.get('profile'))}, {count(run.get('repeats'))} repeats of "
         f"{count(run.get('folds'))} folds, seed {text(run.get('seed'))}"),
        ("model", run.get("model")),
        ("parameters", MISSING if facts.parameters is None else f"{facts.parameters:,}"),
        ("code", run.get("git")),
        ("versions", versions),
        ("machine", _host(run.get("host"))),
    )  # fmt: skip
    return Table("Where it comes from", ("what", "value"), tuple((name, text(value)) for name, value in rows))


def explained(models: Sequence[Model]) -> str:
    """Return what each model is, in a sentence."""
    known = [f"{row['name']}: {MODELS[row['name']]}" for row in models if row["name"] in MODELS]
    return f"{'; '.join(known)}." if known else ""


def methods(models: Sequence[Model], keys: Sequence[str]) -> str:
    """Return how each figure and its interval were had, as the evaluation says it."""
    found = [(key, row["figures"].get(key)) for key in keys for row in models]
    said = {
        (NAMES.get(key, _spaced(key)), value["method"])
        for key, value in found
        if isinstance(value, Mapping) and value.get("method")
    }
    return f"How: {'; '.join(f'{key}, {method}' for key, method in sorted(said))}." if said else ""


def uncalibrated(models: Sequence[Model]) -> str:
    """Return which models' probabilities nobody calibrated."""
    names = [row["name"] for row in models if row["calibrated"] is False]
    return f"NOT calibrated, for want of other folds: {listed(names)}. " if names else ""


def _caption(words: str, initialised: str) -> str:
    return f"{words}; {initialised}" if initialised else words


def _auc(row: Model) -> str:
    return NOT_STATED if row["source"] == "paper" and row.get("auc") is None else number(row.get("auc"), 4)


def _source(run: Mapping[str, Any]) -> str:
    bundle = run["bundle"]
    return f"{run['name']}, bundle {bundle['name']} {bundle['version']} ({bundle['sha256'][:12]})"


def shared(models: Sequence[Model]) -> str:
    """Return what the one number that is said to everybody rests on, where a model says one."""
    return f"{MAJORITY} " if "majority" in [row["name"] for row in models] else ""


def _rows(models: Sequence[Model], keys: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple((row["name"], _n(row), *(figure(row["figures"].get(key)) for key in keys)) for row in models)


def _n(row: Model) -> str:
    return f"{count(row['n'])} ({count(row['n_good'])})"


def _stated(n: Any) -> str:
    return count(n) if value_of(n) is not None else NOT_STATED if n is None else str(n)


def _within(mean: Any) -> str:
    return number(mean) if value_of(mean) is None else f"{number(mean)} over {mean['n_folds']} folds"


def _plain(value: Any) -> str:
    found = value_of(value)
    return text(value) if found is None else f"{found:.3g}" if found < 100 else f"{found:,.0f}"


def _host(host: Any) -> str | None:
    return ", ".join(f"{key} {value}" for key, value in host.items()) if isinstance(host, Mapping) else host


def _spaced(key: str) -> str:
    return key.replace("_", " ").replace("-", " ")
