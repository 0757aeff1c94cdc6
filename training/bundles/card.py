"""The card: what a bundle is, how it was made, how well it did on patients it never saw, and what it is not.

Written from the bundle's own manifest and the run's ``evaluation.json``, so that a card cannot say another thing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from training.bundles.digest import markdown, promises
from training.reporting import tables
from training.reporting.facts import Facts
from training.reporting.verdict import size, verdict

#: Characters of a line.
WIDTH = 120
#: In bold below the title, by origin (law 9).
ORIGINS = {
    "synthetic": """**Trained on simulated patients alone (origin: synthetic). It shows that the path works; it says
nothing about any real patient.** Research use only; not a medical device, not for diagnosis.""",
    "clinical": """**Trained on {n} patients of one cohort (origin: clinical). Nobody has tried it on the patients of
another ward.** Research use only; not a medical device, not for diagnosis.""",
}
#: What becomes of a window, by kind of network.
DOES = {
    "bands": """Inside the graph a {bank} filter bank takes the log power of four bands (4-8, 8-13, 13-30, 30-120 Hz
without the surroundings of 50, 60, 100 and 120 Hz) of every channel ten times a second; {n_layers} LSTMs ({widths})
read the 100 steps; {readout} is the embedding, a linear layer the logit.""",
    "raw": """{n_layers} LSTMs ({widths}) read the samples themselves, one after the other, as in the paper; {readout}
is the embedding, a linear layer the logit.""",
}
READOUTS = {"mean": "the mean over time", "last": "the last state"}
WAYS = {
    "nested": "Cross-validated over patients: nobody is in two parts of a fold.",
    "paper": "One split over patients, in the paper's shares: nobody is in two parts.",
}
#: Settings that stand on the card, by how their keys begin; the manifest has all of them.
SETTINGS = ("model.", "fit.", "split.")
#: Whose figures they are, by profile.
WHOSE = {
    "nested": """those of the networks of the folds ({folds}), each on patients that it had not seen: they are about
this way of training, not this very network""",
    "paper": "those of this very network, on the patients of the split that it had not seen",
}

CARD = """# {name} {version}

{origin}

## What it does

One window of 10 s (10,000 samples of {montage} at 1000 Hz, conditioned, z-scored) becomes one logit: lower-limb motor
function at 3 months, Fugl-Meyer above 17 of 34. {does}

{points}

The z-score erases level: the network sees change inside the window, the balance of bands, and timing. A stronger muscle
or a larger rhythm by itself it does not see.

## How it was made

Run {run} of {made_utc}, seed {seed}. Cohort: {cohort_name}; {patients} patients with a known outcome, {with_eeg} of
them with EEG and EMG{described}. Every window came out of the bedside's own chain, those before its artifact stage was
calibrated too, as they do at the bedside.

{way} The network of this bundle learned from {train} patients ({windows} windows); {stop} others said
when to stop, best after pass {best}. The figures below{too} are {whose}.

{warm}

| setting | value |
|---|---|
{settings}

## How well it did

{figures}

## What it is not

- Not tried on patients of another cohort, another amplifier or another montage.
- Not a measurement of motor function: a chance among patients like those above, and only while the signal is good.
- Not independent evidence window by window: windows of one patient are alike, which the calibration for each number of
  windows takes into account.
- Nothing to be put beside figures of {others} patients.

## Numbers

fp32. The graph's outputs differ from the same network in float64 by at most {parity}; another engine may differ by
{atol:g} in the logit. Noise on the windows moves the logit {gain:.2g} times as far (float64, noise of {noise:g}, a
whole window); a network that it moves over {bound:g} times as far is refused. A window's bits do not depend on the
batch that it is in; each engine checks that for itself before it serves.
"""
NOT_EVALUATED = "Not evaluated yet: `flexion evaluate RUN`, then `flexion models export RUN`, puts the figures here."


def card(manifest: Mapping[str, Any], largest_gain: float, evaluation: Mapping[str, Any] | None = None) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    manifest : mapping
        Of the bundle, without files and golden windows.
    largest_gain : float
        Beyond which the sensitivity gate refuses a network.
    evaluation : mapping, optional
        ``evaluation.json`` of its run; without it the card says that there are no figures.
    """
    training, origin, points = manifest["training"], manifest["origin"], manifest.get("fma")
    config, final, cohort = training["config"], training["final"], training["cohort"]
    text = CARD.format(
        name=manifest["name"],
        version=manifest["version"],
        origin=ORIGINS[origin].format(n=final["train"] + final["stop"]),
        montage=manifest["montage"]["name"],
        does=_does(config),
        points=_points(points),
        run=training["run"],
        made_utc=training["made_utc"],
        seed=config["run.seed"],
        cohort_name=cohort["name"],
        patients=cohort["patients"],
        with_eeg=cohort["with_eeg"],
        described=described_as(training["described"], origin),
        way=WAYS[training["profile"]],
        train=final["train"],
        windows=final["windows"],
        stop=final["stop"],
        best=final["best_epoch"] + 1,
        too=", the calibration and the interval of the points" if points else " and the calibration",
        whose=WHOSE[training["profile"]].format(folds=training["folds"]),
        warm=_warm(config["fit.warm_start"]),
        settings=settings_of(config, SETTINGS),
        figures=NOT_EVALUATED if evaluation is None else figures_of(evaluation),
        others="real" if origin == "synthetic" else "simulated",
        parity=", ".join(f"{value:.1e} ({name})" for name, value in training["parity_to_float64"].items()),
        atol=manifest["parity"]["logit_atol"],
        noise=training["sensitivity"]["noise"],
        gain=training["sensitivity"]["gain"],
        bound=largest_gain,
    )
    return "\n\n".join(filled(block) for block in text.split("\n\n") if block.strip()) + "\n"


def figures_of(evaluation: Mapping[str, Any]) -> str:
    """Return what a run's networks and baselines reached, as Markdown: in words, by number of windows, side by side."""
    facts = Facts(evaluation)
    shown = [*map(tables.by_windows, facts.networks), tables.headline(facts.models)]
    return "\n\n".join([verdict(facts), size(facts), promises(facts), *map(markdown, shown)])


def filled(block: str) -> str:
    """Return a paragraph in lines of even length; tables, headings and lists stay as they are."""
    block = block.strip("\n")
    if block.startswith(("|", "#", "- ")):
        return block
    return textwrap.fill(" ".join(block.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _does(config: Mapping[str, Any]) -> str:
    widths = config["model.widths"]
    return DOES[config["model.kind"]].format(
        bank="trained" if config["model.learn_bank"] else "fixed",
        n_layers=len(widths),
        widths=", ".join(map(str, widths)),
        readout=READOUTS[config["model.readout"]],
    )


def _points(points: Mapping[str, Any] | None) -> str:
    if points is None:
        return ""
    return (
        f"A second head says how many points it expects: {points['coverage']:.0%} of {points['n']} patients that its "
        f"networks had not seen lay within {points['half_width']:.1f} points of it, after a whole session."
    )


def described_as(described: Mapping[str, Any], origin: str) -> str:
    """Return what a simulated cohort says of itself, to be put behind a sentence."""
    if origin != "synthetic" or "effect" not in described:
        return ""
    return f"; simulated with effect {described['effect']} (0 is none, 1 hard, 2 easy to see)"


def _warm(epochs: int) -> str:
    if not epochs:
        return ""
    return f"**Warm start: its first {epochs} passes were on short crops of the windows, which the paper does not do.**"


def settings_of(config: Mapping[str, Any], beginnings: tuple[str, ...]) -> str:
    """Return the rows of a table: the settings whose keys begin so."""
    rows = [(key, value) for key, value in config.items() if key.startswith(beginnings)]
    return "\n".join(f"| {key} | {_value(value)} |" for key, value in rows)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [f"{key} {one}" for key, one in value.items()]
    return (", ".join(map(str, value)) or "none") if isinstance(value, list | tuple) else str(value)
