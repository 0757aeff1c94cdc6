"""The TRIPOD+AI checklist, filled in for one run: where each item is answered, or why it is not.

The items and their numbers are those of Collins et al., BMJ 2024;385:e078378, in words of our own. A run can answer
what software can know. What only the people of a study know is *not done* here and named, for them to add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from training.reporting.facts import Facts
from training.reporting.tables import uncalibrated
from training.reporting.verdict import verdict
from training.reporting.words import count, text

Status = Literal["answered", "partly", "not done", "not applicable"]
#: Why what belongs to a study's people is missing.
STUDY = "The cohort's files do not hold it; the study's report must."
#: What is known of each patient, what is made of it, and by what it is judged, by what the run is of.
PREDICTORS = {
    "eeg_emg": ("All channels of the montage; none chosen by looking.", "EEG and EMG in 10 s windows",
                "Z-score per window and channel; docs/signal.md."),
    "fmri": ("Every slice of the scan that holds half of the widest one's area; none chosen by looking.",
             "resting-state fMRI, slices of the mean volume or of three maps",
             "Scaled within the mask of the scan; docs/fmri.md."),
    "fusion": ("What a network of EEG and EMG and one of fMRI say of the patient.",
               "EEG and EMG in 10 s windows, slices of resting-state fMRI",
               "Each network's logit is calibrated, then weighed; docs/fusion.md."),
}  # fmt: skip
#: Why what belongs to patients is missing where there were none.
SIMULATED = "Simulated patients."


@dataclass(frozen=True)
class Item:
    """One item of the checklist.

    Attributes
    ----------
    number : str
        As in the statement: ``12a``.
    asks : str
        What is to be reported.
    status : str
    answer : str
        Where it is answered, or why it is not.
    anchor : str
        The section of this report that answers it; empty where none does.
    """

    number: str
    asks: str
    status: Status
    answer: str
    anchor: str = ""


def items(facts: Facts) -> list[Item]:
    """Return the whole checklist for a run, in the statement's order."""
    return [*_opening(facts), *_data(facts), *_analysis(facts), *_open_science(), *_results(facts), *_discussion(facts)]


def counted(items: list[Item]) -> dict[str, int]:
    """Return how many items have each status."""
    statuses = [item.status for item in items]
    return {status: statuses.count(status) for status in dict.fromkeys(statuses)}


def _opening(facts: Facts) -> list[Item]:
    return [
        Item("1", "title: develops or evaluates, population, outcome", "answered", "Title and first lines.", "top"),
        Item("2", "abstract", "partly", "The first section, not in the form of an abstract.", "headline"),
        Item("3a", "background: context, reasons, existing models", "partly", "The paper's table alone.", "paper"),
        Item("3b", "intended population, place in care, users", "partly", "Research at the bedside; no use in care."),
        Item("3c", "known inequalities in health", "not done", "Not looked at."),
        Item("4", "objectives", "answered", "To develop a model and judge it inside one cohort.", "headline"),
    ]


def _data(facts: Facts) -> list[Item]:
    cohort = facts.cohort
    who = f"Cohort {text(cohort.get('name'))}: {count(cohort.get('patients'))} patients."
    chosen, measured, _ = PREDICTORS[facts.modality]
    return [
        Item("5a", "sources of data, how representative", "partly", who, "provenance"),
        _of_people(facts, "5b", "dates of accrual and follow-up"),
        _of_people(facts, "6a", "setting and centres"),
        _of_people(facts, "6b", "who was eligible"),
        _of_people(facts, "6c", "treatments received"),
        Item("7", "preparation and checks of the data", "answered",
             "The bedside's own chain; flexion cohort check audits before training. docs/signal.md."),
        Item("8a", "outcome, its time, how it is assessed", "partly",
             "Fugl-Meyer of the lower limb above 17 of 34 at 3 months (83 to 97 days); who assessed it is not known."),
        _of_people(facts, "8b", "assessors, where the outcome needs judgement"),
        _of_people(facts, "8c", "whether assessors were blind"),
        Item("9a", "choice of predictors", "answered", chosen),
        Item("9b", "predictors: what, how and when measured", "partly",
             f"{measured}; the days since onset stand with the patients, if the cohort has them."),
        Item("9c", "predictors that need judgement", "not applicable", "None: every predictor is measured."),
        Item("10", "sample size, and whether it suffices", "partly",
             "Taken as it came; it does not suffice for so many parameters, and the first lines say so.", "top"),
        Item("11", "missing data", "partly",
             f"{_who_has(facts)} of {count(cohort.get('patients'))} patients; the others are left out, none is "
             "imputed. A patient without outcome is left out.", "provenance"),
    ]  # fmt: skip


def _analysis(facts: Facts) -> list[Item]:
    run = facts.run
    split = f"{count(run.get('repeats'))} repeats of {count(run.get('folds'))} folds of patients"
    several = _sites(facts)
    promised = "raw, uncalibrated" if uncalibrated(facts.networks) else "calibrated"
    return [
        Item("12a", "how data were divided", "answered", f"Profile {text(run.get('profile'))}: {split}.", "provenance"),
        Item("12b", "how predictors were handled", "answered", PREDICTORS[facts.modality][2]),
        Item("12c", "type of model, steps, tuning, validation", "answered",
             "The run folder's config.toml; early stopping on patients that neither train nor test.", "learning"),
        Item("12d", "differences between centres", "partly" if several else "not applicable",
             "By site; with one site left out, baselines only." if several else "One site, or none named.",
             "groups" if several else ""),
        Item("12e", "measures and plots", "answered", "Discrimination, calibration, net benefit.", "ranking"),
        Item("12f", "updating of the model", "not done", "No recalibration after the evaluation."),
        Item("12g", "how predictions were calculated", "answered",
             "predictions.csv holds each logit; the exported bundle gives the same within its stated tolerance."),
        Item("13", "class imbalance", "answered", "No resampling; folds keep the share of outcomes.", "calibration"),
        Item("14", "fairness", "not done", "No figures by age, sex or origin of patients."),
        Item("15", "output and threshold", "answered",
             f"A {promised} probability; one half where a class is needed, chosen beforehand.", "classification"),
        Item("16", "training against evaluation data", "not applicable", "One cohort: both come from it."),
        _of_people(facts, "17", "ethical approval and consent"),
    ]  # fmt: skip


def _open_science() -> list[Item]:
    return [
        Item("18a", "funding", "not done", STUDY),
        Item("18b", "conflicts of interest", "not done", STUDY),
        Item("18c", "protocol", "not done", STUDY),
        Item("18d", "registration", "not done", STUDY),
        Item("18e", "sharing of data", "not done", STUDY),
        Item("18f", "sharing of code", "answered", "Flexion is open source; the commit is given.", "provenance"),
        Item("19", "patients and public in the study", "not done", STUDY),
    ]


def _results(facts: Facts) -> list[Item]:
    several = _sites(facts)
    return [
        Item("20a", "flow of participants", "partly",
             f"{count(facts.cohort.get('patients'))} in the cohort, {_who_has(facts)}, {facts.n} judged.",
             "provenance"),
        Item("20b", "characteristics of participants", "partly", "Outcome, site and signal of each.", "patients"),
        Item("20c", "predictors compared between data sets", "not applicable", "One cohort."),
        Item("21", "participants and events in each analysis", "answered", "n (good) in every table.", "headline"),
        Item("22", "the whole model", "answered", "The run folder's bundle: graph, weights, manifest, card."),
        Item("23a", "performance with intervals, also in groups", "answered", "Every table.", "headline"),
        Item("23b", "differences between centres", "partly" if several else "not applicable",
             "By site, without a formal measure." if several else "One site, or none named.",
             "groups" if several else ""),
        Item("24", "results of updating", "not applicable", "Nothing was updated."),
    ]  # fmt: skip


def _discussion(facts: Facts) -> list[Item]:
    return [
        Item("25", "interpretation", "partly", verdict(facts), "headline"),
        Item("26", "limitations", "partly", "Few patients, many parameters, one cohort; no outside validation.", "top"),
        Item("27a", "input that is poor or missing, in use", "answered",
             "Windows are weighed by quality; below it the score abstains and says why. docs/how-it-works.md."),
        Item("27b", "what users must do and know", "partly", "README.md and docs; no study with users."),
        Item("27c", "next steps", "not done", "For the study: patients of another hospital, judged once."),
    ]  # fmt: skip


def _of_people(facts: Facts, number: str, asks: str) -> Item:
    """Return an item that only a study with patients can answer."""
    if facts.run.get("origin") == "synthetic":
        return Item(number, asks, "not applicable", SIMULATED)
    return Item(number, asks, "not done", STUDY)


def _who_has(facts: Facts) -> str:
    """Return how many patients have what the run is of."""
    if facts.modality == "eeg_emg":
        return f"{count(facts.cohort.get('with_eeg'))} with EEG"
    if facts.modality == "fmri":
        return f"{count(facts.cohort.get('with_scan'))} with a scan"
    return f"{facts.n} with EEG and a scan"


def _sites(facts: Facts) -> bool:
    return len({row["value"] for row in facts.list_of("groups") if row["by"] == "site"}) > 1
