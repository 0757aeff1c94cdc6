"""The sections of a report in their order. A new part, of scans or of fusion, is one more function in ``SECTIONS``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from training.reporting import figures, patients, tables, tripod
from training.reporting.drawing import Drawing
from training.reporting.facts import Facts
from training.reporting.learning import curves
from training.reporting.picture import Picture

#: What stands wherever the paper's figures and those of simulated patients meet.
NOT_COMPARABLE = (
    "The patients of this run are simulated: its figures must not be compared with the paper's, and one being higher "
    "means nothing."
)
#: What the paper's tables are to be read with.
PAPER_UNIT = (
    "The paper does not state what its figures count; 13 patients with EEG and EMG were in its test set. A figure over "
    "windows or slices is no figure over patients."
)
#: What the paper's figures of attention are to be read with.
ATTENTION = (
    "Where the image model looked: orange towards the better outcome, blue away from it, full at the strongest cell of "
    "the scan. One cell is a seventh of the picture's width. It says where this network looked, and nothing about the "
    "tissue."
)

#: What a section is made of: tables, figures, pictures, sentences.
Part = tables.Table | Drawing | Picture | str

environment = Environment(
    loader=PackageLoader("training.reporting"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Section:
    """One section: its title, where a link finds it, what it holds, and its figures for files of their own."""

    title: str
    anchor: str
    html: Markup
    drawings: tuple[Drawing, ...] = ()


def render(template: str, **values: Any) -> Markup:
    """Return a template filled in; everything that is not markup already is escaped."""
    return Markup(environment.get_template(template).render(**values))


def shown(title: str, anchor: str, *parts: Part) -> Section:
    """Return a section of tables, figures and sentences, in that order."""
    drawings = tuple(part for part in parts if isinstance(part, Drawing))
    return Section(title, anchor, render("parts.html", parts=[_part(part) for part in parts]), drawings)


def left_out(title: str, anchor: str, reason: str) -> Section:
    """Return a section that says why it has nothing to show."""
    return Section(title, anchor, render("left_out.html", reason=reason))


def headline(facts: Facts) -> Section:
    """Return the few figures that are looked for first."""
    table = tables.headline(facts.models, facts.initialised)
    return shown("Headline", "headline", table, *filter(None, [facts.mirrored]))


def ranking(facts: Facts) -> Section:
    """Return ROC curves, AUC and paired differences."""
    title, anchor = "Ranking: who does better than whom", "ranking"
    several = facts.networks if len(facts.networks) > 1 else facts.models
    drawn = [model for model in several if (model.get("roc") or {}).get("fpr")]
    parts: list[Part] = [figures.roc(drawn)] if drawn else ["No model has a ROC curve."]
    parts.append(tables.ranking(facts.models))
    pairs = facts.list_of("paired")
    parts.append(tables.paired(pairs) if pairs else "No paired comparison: it needs two models on the same patients.")
    return shown(title, anchor, *parts)


def classification(facts: Facts) -> Section:
    """Return accuracy, recall, precision and F1."""
    return shown("Classification", "classification", tables.classification(facts.models), tables.macro(facts.models))


def calibration(facts: Facts) -> Section:
    """Return how far probabilities can be taken at their word."""
    drawn: list[Part] = [figures.reliability(model) for model in facts.networks[:1] if model.get("reliability")]
    return shown("Calibration", "calibration", *(drawn or ["No network has reliability points."]),
                 tables.calibration(facts.models))  # fmt: skip


def usefulness(facts: Facts) -> Section:
    """Return the net benefit."""
    drawn = [figures.decision(model) for model in facts.networks[:1] if model.get("decision")]
    if not drawn:
        return left_out("Net benefit", "decision", "no network has a decision curve")
    return shown("Net benefit", "decision", *drawn)


def windows(facts: Facts) -> Section:
    """Return what fewer windows give."""
    title, anchor = "By number of windows", "windows"
    models = [model for model in facts.networks if model.get("by_windows")]
    if not models:
        return left_out(title, anchor, "no network has figures by number of windows")
    return shown(title, anchor, *(part for model in models for part in
                                  (figures.by_windows(model), tables.by_windows(model))))  # fmt: skip


def groups(facts: Facts) -> Section:
    """Return the parts of the cohort."""
    rows = facts.list_of("groups")
    if not rows:
        return left_out("Parts of the cohort", "groups", "the cohort names no site, territory or days since onset")
    return shown("Parts of the cohort", "groups", tables.groups(rows))


def scale(facts: Facts) -> Section:
    """Return how well the score itself is predicted."""
    title, anchor = "The Fugl-Meyer score itself", "fma"
    points, ordinal = facts.evaluation.get("fma"), facts.evaluation.get("ordinal")
    parts = [make(found) for make, found in ((tables.scale, points), (tables.steps, ordinal)) if found]
    return shown(title, anchor, *parts) if parts else left_out(title, anchor, "the network has no head for the score")


def paper(facts: Facts) -> Section:
    """Return the paper's tables beside this run."""
    title, anchor = "Beside the paper", "paper"
    rows = facts.list_of("paper_table")
    if not rows:
        return left_out(title, anchor, "the evaluation holds no table of the paper")
    caution = NOT_COMPARABLE if facts.synthetic else ""
    return shown(title, anchor, *filter(None, [caution]), PAPER_UNIT, *tables.papers(rows, facts.initialised))


def weights(facts: Facts) -> Section:
    """Return what each fusion weighs its heads with, or which network each fold chose."""
    title, anchor = "Weights and choices", "weights"
    fusions = [model for model in facts.fusion.get("models") or () if "weights" in model]
    parts: list[Part] = [tables.weights(fusions)] if fusions else []
    if facts.chosen:
        parts.append(tables.chosen(facts.chosen))
    return shown(title, anchor, *parts) if parts else left_out(title, anchor, "the run fuses and chooses nothing")


def attention(facts: Facts) -> Section:
    """Return where the image networks looked, as the paper's Figure 2."""
    title, anchor = "Where the image model looked", "attention"
    found = facts.evaluation.get("attention")
    if not found or facts.folder is None:
        return left_out(title, anchor, "the run has no pictures of scans")
    pictures = [Picture.read(facts.folder, panel) for panel in found["panels"]]
    return shown(title, anchor, ATTENTION, str(found["words"]), *pictures)


def control(facts: Facts) -> Section:
    """Return the permuted labels."""
    title, anchor = "Control: permuted labels", "control"
    found = facts.evaluation.get("permuted")
    if not found:
        return left_out(title, anchor, "no labels were permuted")
    drawn = [figures.permuted(found)] if found.get("values") else []
    return shown(title, anchor, *drawn, tables.control(found))


def learning(facts: Facts) -> Section:
    """Return losses over the epochs, and what the run took."""
    title, anchor = "Learning", "learning"
    found = curves(facts.metrics)
    parts: list[Part] = [figures.learning(*found) if found else "No metrics.csv: no curves."]
    cost: Mapping[str, Any] = facts.evaluation.get("training") or {}
    parts.append(tables.cost(cost) if cost else "The run does not say what it took.")
    return shown(title, anchor, *parts)


def each_patient(facts: Facts) -> Section:
    """Return a report for each patient, folded up."""
    title, anchor = "Patients", "patients"
    reports = patients.patients(facts.list_of("patients"))
    if not reports:
        return left_out(title, anchor, "the evaluation holds no patients")
    size = {"width": patients.WIDTH, "height": patients.HEIGHT, "left": patients.LEFT, "right": patients.RIGHT,
            "top": patients.TOP, "bottom": patients.BOTTOM}  # fmt: skip
    html = render("patients.html", overview=patients.overview(reports, facts.modality), patients=reports, size=size,
                  synthetic=facts.synthetic)  # fmt: skip
    return Section(title, anchor, html)


def secondary(facts: Facts) -> Section:
    """Return the figures of single windows or slices, labelled and folded up (law 9)."""
    slices = facts.modality == "fmri"
    title, anchor = f"Secondary: single {'slices' if slices else 'windows'}", "secondary"
    table = tables.secondary(facts.models)
    if not table.rows:
        return left_out(title, anchor, "no model has figures over single windows")
    return Section(title, anchor, render("secondary.html", windows=table, unit="slice" if slices else "window"))


def checklist(facts: Facts) -> Section:
    """Return the TRIPOD+AI checklist."""
    found = tripod.items(facts)
    html = render("tripod.html", items=found, counted=tripod.counted(found))
    return Section("TRIPOD+AI checklist", "tripod", html)


def provenance(facts: Facts) -> Section:
    """Return where the figures come from."""
    return shown("Where it comes from", "provenance", tables.provenance(facts))


SECTIONS: tuple[Callable[[Facts], Section], ...] = (
    headline,
    ranking,
    classification,
    calibration,
    usefulness,
    windows,
    groups,
    scale,
    paper,
    weights,
    attention,
    control,
    learning,
    each_patient,
    secondary,
    checklist,
    provenance,
)


def sections(facts: Facts, makers: Sequence[Callable[[Facts], Section]] = SECTIONS) -> Iterator[Section]:
    """Yield every section of a run's report, also those that have nothing to show."""
    for make in makers:
        yield make(facts)


def _part(part: Part) -> dict[str, Any]:
    kind = {tables.Table: "table", Drawing: "figure", Picture: "picture"}.get(type(part), "words")
    return {"kind": kind, "it": part}
