"""The card of an image network: what it is, how it was made, how well it did on patients it never saw, what it is not.

Written from the bundle's own manifest and the run's ``evaluation.json``, so that a card cannot say another thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.backbones.augmentation import MIRRORED
from training.bundles.card import NOT_EVALUATED, ORIGINS, WAYS, WHOSE, described_as, filled, settings_of
from training.bundles.digest import markdown, promises
from training.bundles.expected import Unlike
from training.reporting import tables
from training.reporting.facts import Facts
from training.reporting.verdict import size, verdict

#: Settings that stand on the card, by how their keys begin; the manifest has all of them.
SETTINGS = ("scan.", "model.", "augmentation.", "fit.", "split.")
#: What becomes of the channels, by recipe.
RECIPES = {
    "mean": "the mean over time, the same in all three channels, as in the paper. **A mean image holds no function: "
    "what the network sees is how tissue looks in such a scan.**",
    "functional": "the mean over time, the strength of slow fluctuations (ALFF) and the temporal signal-to-noise, one "
    "in each channel.",
}
#: How a patient's logit comes of those of the slices.
AGGREGATED = {
    "logit_mean_quality": "The mean of the slices' logits is the patient's",
    "prob_mean": "The mean of the slices' probabilities is the patient's, as in the paper",
}

CARD = """# {name} {version}

{origin}

## What it does

A resting-state fMRI scan becomes axial slices ({size} x {size} pixels of {mm:g} mm; those whose brain is at least
{share:.0%} of the widest one's): {recipe} {words} ({library} {model}) gives each a logit: lower-limb motor function at
3 months, Fugl-Meyer above 17 of 34. {aggregated}; a line, fitted to patients, makes a probability of it.

First weights: **initialised: {initialised}**. {mirrored}

It takes scans like those that it learned from: field {fov} mm, matrix {matrix}, {n_slices} slices of {thickness:g} mm,
a volume every {tr:g} s. Beyond its tolerance a setting is flagged by name, beyond twice that the scan is refused.
{unlike}

## Where it looked

The map of a slice is Grad-CAM in closed form, from the network's last feature map of 7 x 7 cells, each some
{cell:.0f} mm wide. It shows where this image model looked, of either sign; it cannot show which part of the cortex an
outcome depends on. With weights drawn anew the maps' rank correlation with its own was {correlation:.2f} over
{checked} slices: near 0 a map shows the model, near 1 the image alone.

## How it was made

Run {run} of {made_utc}, seed {seed}. Cohort: {cohort_name}; {patients} patients with a known outcome, {with_scan} of
them with a scan that may be used{described}.

{way} The network of this bundle learned from {train} patients ({slices} slices); {stop} others said when to stop, best
after pass {best}{chosen}. The figures below and the calibration are {whose}.

| setting | value |
|---|---|
{settings}

## How well it did

{figures}

## What it is not

- Not tried on patients of another cohort, another scanner or another protocol.
- Not a measurement of motor function: a chance among patients like those above.
- Not independent evidence slice by slice: the slices of a scan are one observation of one patient.
- Nothing to be put beside figures of {others} patients.

## Numbers

fp32. The graph's outputs differ from the same network in float64 by at most {logit:.1e} (logit) and {features:.1e}
(features, of the largest one); another engine may differ by {atol:g} in the logit. A slice's bits do not depend on the
batch that it is in; each engine checks that for itself before it serves.
"""


def slice_card(manifest: Mapping[str, Any], evaluation: Mapping[str, Any] | None = None) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    manifest : mapping
        Of the bundle, without files and golden slices.
    evaluation : mapping, optional
        ``evaluation.json`` of its run; without it the card says that there are no figures.
    """
    training, origin = manifest["training"], manifest["origin"]
    preparation, scan, final = manifest["preparation"], manifest["scan"], training["final"]
    text = CARD.format(
        name=manifest["name"],
        version=manifest["version"],
        origin=ORIGINS[origin].format(n=final["train"] + final["stop"]),
        size=preparation["size"],
        mm=preparation["mm_per_pixel"],
        share=preparation["screen_share"],
        recipe=RECIPES[preparation["recipe"]],
        **training["network"],
        aggregated=AGGREGATED[manifest["aggregation"]],
        initialised=_initialised(training["initialised"]),
        mirrored=MIRRORED if training["config"]["augmentation.flip"] else "",
        fov=" x ".join(f"{value:g}" for value in scan["fov_mm"]),
        matrix=" x ".join(f"{value:g}" for value in scan["matrix"]),
        n_slices=scan["n_slices"],
        thickness=scan["thickness_mm"],
        tr=scan["tr_s"],
        unlike=Unlike(**final["unlike"]).words(final["train"]),
        cell=preparation["size"] * preparation["mm_per_pixel"] / manifest["outputs"][1]["shape"][2],
        correlation=manifest["sanity"]["correlation"],
        checked=manifest["sanity"]["n_slices"],
        run=training["run"],
        made_utc=training["made_utc"],
        seed=training["config"]["run.seed"],
        cohort_name=training["cohort"]["name"],
        patients=training["cohort"]["patients"],
        with_scan=training["cohort"]["with_scan"],
        described=described_as(training["described"], origin),
        way=WAYS[training["profile"]],
        train=final["train"],
        slices=final["slices"],
        stop=final["stop"],
        best=final["best_epoch"] + 1,
        chosen=_chosen(training["choice"]),
        whose=WHOSE[training["profile"]].format(folds=training["folds"]),
        settings=settings_of(training["config"], SETTINGS),
        figures=NOT_EVALUATED if evaluation is None else _figures(evaluation),
        others="real" if origin == "synthetic" else "simulated",
        atol=manifest["parity"]["logit_atol"],
        **training["parity_to_float64"],
    )
    return "\n\n".join(filled(block) for block in text.split("\n\n") if block.strip()) + "\n"


def _figures(evaluation: Mapping[str, Any]) -> str:
    """Return what the run's networks and baselines reached, as Markdown."""
    facts = Facts(evaluation)
    headline = tables.headline(facts.models, facts.initialised)
    return "\n\n".join([verdict(facts), size(facts), promises(facts), markdown(headline)])


def _initialised(initialised: Mapping[str, Any]) -> str:
    if initialised["file"] is None:
        return str(initialised["how"])
    return f"{initialised['how']} ({initialised['file']}, SHA-256 {initialised['sha256'][:12]})"


def _chosen(choice: Mapping[str, Any]) -> str:
    """Return among which backbones it was chosen; nothing where there was one alone."""
    losses = choice["stop_losses"]
    if len(losses) == 1:
        return ""
    told = ", ".join(f"{name} {loss:.3f}" for name, loss in losses.items())
    return f"; of {len(losses)} networks theirs was the lowest loss ({told})"
