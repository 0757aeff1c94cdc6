"""A card says what its manifest and evaluation say, and what the bundle is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training.reports import sample
from training.bundles.card import card
from training.bundles.digest import digest
from training.runs.config import Config, load_config

FMA = {"half_width": 7.25, "coverage": 0.9, "n": 40}


def manifest(config: Config | None = None, origin: str = "synthetic", **changes: Any) -> dict[str, Any]:
    """Return what a card is written from."""
    return {
        "name": "lstm-bands",
        "version": "1.0.0",
        "origin": origin,
        "montage": {"name": "amp16"},
        "parity": {"logit_atol": 1e-4},
        "training": {
            "run": "eeg",
            "made_utc": "2026-11-22T10:00:00+00:00",
            "cohort": {"name": "sample", "patients": 44, "with_eeg": 40, "good": 20},
            "described": {"effect": 2, "seed": 7},
            "profile": "nested",
            "folds": 25,
            "final": {"train": 32, "stop": 8, "windows": 1696, "best_epoch": 11},
            "config": (config or load_config()).flat(),
            "sensitivity": {"gain": 0.051, "noise": 1e-12, "windows": 14},
            "parity_to_float64": {"logit": 1.4e-7, "embedding": 2e-7},
        },
        **changes,
    }


def test_a_card_has_the_run_s_own_figures():
    """By number of windows, beside the baselines, and the control; no blank is left."""
    evaluation = sample()
    text = card(manifest(fma=FMA), 100.0, evaluation)
    network = evaluation["models"][0]
    n, [row] = network["n"], [step for step in network["by_windows"] if step["n_windows"] == 12]
    assert text.startswith("# lstm-bands 1.0.0\n")
    assert "{" not in text and "\N{NO-BREAK SPACE}" not in text
    area, brier = row["auc"], row["brier"]
    cells = f"{area['value']:.2f} ({area['low']:.2f} to {area['high']:.2f}) | {brier['value']:.3f}"
    assert f"| 12 | {n} | {cells} ({brier['low']:.3f} to {brier['high']:.3f}) |" in text
    for name in ("lstm-bands", "band-power", "majority"):
        assert f"\n| {name} | {n} (" in text
    assert "\nThe network (lstm-bands) " in text
    assert "90% of 40 patients that its networks had not seen lay within 7.2 points" in text
    assert "at most 1.4e-07 (logit), 2.0e-07 (embedding)" in text
    assert "| fit.learning_rate | 0.0005 |" in text and "| model.heads | fma, ordinal |" in text
    assert max(len(line) for line in text.splitlines() if line[0:1] != "|") <= 120


def test_simulated_patients_are_said_in_bold_first_and_again():
    """Nobody can take it for a clinical model (law 9)."""
    text = " ".join(card(manifest(), 100.0).split())
    assert text.index("**Trained on simulated patients alone (origin: synthetic).") < text.index("## What it does")
    assert "simulated with effect 2" in text and "not a medical device" in text
    assert "Nothing to be put beside figures of real patients." in text


def test_a_clinical_card_says_so_and_claims_no_other_ward():
    """Neither can a simulated one be taken for it."""
    text = " ".join(card(manifest(origin="clinical"), 100.0).split())
    assert "**Trained on 40 patients of one cohort (origin: clinical)." in text
    assert "simulated with effect" not in text and "synthetic" not in text


def test_a_run_that_was_not_evaluated_has_no_figures():
    """The card says what to do instead of leaving a table empty."""
    text = card(manifest(), 100.0)
    assert "Not evaluated yet: `flexion evaluate RUN`" in text and "| AUC |" not in text
    assert "points" not in text


@pytest.mark.parametrize(("profile", "calibrated"), [("nested", True), ("paper", False)])
def test_a_card_and_a_report_say_whether_their_figures_are_of_the_bundle_s_calibration(profile, calibrated):
    """One split has no other folds: its figures are of raw logits, and the bundle's line was fitted to its tested."""
    evaluation = sample(profile=profile)
    for text in (card(manifest(), 100.0, evaluation), digest(evaluation)):
        words = " ".join(text.split())
        assert ("whom the model had not seen, and is calibrated on the other folds." in words) == calibrated
        assert ("NOT calibrated, for want of other folds: those of lstm-bands and band-power. The bundle's own "
                "calibration was fitted to the patients of these figures" in words) != calibrated  # fmt: skip


@pytest.mark.parametrize(("flags", "says"), [
    ({"fit.warm_start": 3}, "**Warm start: its first 3 passes were on short crops of the windows"),
    ({"model.readout": "mean"}, "the mean over time is the embedding"),
    ({}, "3 LSTMs (128, 64, 32) read the samples themselves"),
    ({}, "the last state is the embedding"),
])  # fmt: skip
def test_a_card_says_which_network_it_is(flags, says):
    """The paper's, and where it is not quite the paper's."""
    config = load_config(kind="raw", flags=flags)
    text = " ".join(card(manifest(config), 100.0, sample()).split())
    assert says in text
    assert ("Warm start" in text) == ("fit.warm_start" in flags)
