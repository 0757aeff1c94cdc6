"""The card: what a bundle is, how it was made, how well it did on patients it never saw, and what it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.metrics import Figure


@dataclass(frozen=True)
class Row:
    """The figures on the test patients after so many windows.

    Parameters
    ----------
    n_windows, n_patients : int
        How many windows of how many patients.
    delong, bootstrap : Figure
        AUC with two intervals.
    brier : float
        Of the calibrated probability.
    """

    n_windows: int
    n_patients: int
    delong: Figure
    bootstrap: Figure
    brier: float


@dataclass(frozen=True)
class Facts:
    """What a card says.

    Parameters
    ----------
    version, montage : str
        Of the bundle.
    effect : float
        How much recovery shows in the simulated signal.
    seed : int
        Of the whole run.
    patients : mapping of str to int
        How many patients each part of the run has.
    windows : mapping of str to int
        How many windows.
    n_short, n_whole : int
        Windows of a patient that trains or stops, and of one that calibrates or tests.
    prevalence : float
        Share of good outcomes among the test patients.
    ceiling : Figure
        AUC that the hidden recovery itself reaches on them: no score can be expected above it.
    rows : sequence of Row
        By number of windows.
    best_epoch : int
        After which training was taken.
    parity : float
        Largest difference of a logit between the graph and the float64 reference.
    """

    version: str
    montage: str
    effect: float
    seed: int
    patients: Mapping[str, int]
    windows: Mapping[str, int]
    n_short: int
    n_whole: int
    prevalence: float
    ceiling: Figure
    rows: Sequence[Row]
    best_epoch: int
    parity: float


CARD = """# lstm-bands {version}

**Trained on simulated patients alone (origin: synthetic). It shows that the path works; it says nothing about any real
patient.** Research use only; not a medical device, not for diagnosis.

## What it does

One window of 10 s (10,000 samples of {montage} at 1000 Hz, conditioned, z-scored) becomes one logit: lower-limb motor
function at 3 months, Fugl-Meyer above 17 of 34. Inside the graph a fixed filter bank takes the log power of four bands
(4-8, 8-13, 13-30, 30-120 Hz without the surroundings of 50, 60, 100 and 120 Hz) of every channel ten times a second;
three LSTMs (128, 64, 32) read the 100 steps; the mean over time is the embedding, a linear layer the logit.

The z-score erases level: the network sees change inside the window, the balance of bands, and timing. A stronger muscle
or a larger rhythm by itself it does not see.

## How it was made

Every window came out of the bedside's own chain, the first three of a session before its artifact stage was calibrated,
as they do at the bedside. Simulated patients: mains 50 and 60 Hz, either leg, gains, blinks, offsets and noise drawn
without regard to the outcome; effect {effect:g} (0 is none, 1 hard, 2 easy); seed {seed}. Nobody is in two parts.

| part | patients | windows | what for |
|---|---|---|---|
| train | {patients[train]} | {windows[train]} | the network |
| stop | {patients[stop]} | {windows[stop]} | when to stop; best after epoch {best_epoch} |
| calibrate | {patients[calibrate]} | {windows[calibrate]} | probability by number of windows, 200 draws over patients |
| test | {patients[test]} | {windows[test]} | the figures below, nothing else |

The patients that train or stop have {n_short} windows each, the first trial anywhere in the first 30 s; those that
calibrate or test have {n_whole}, by the default plan: 30 s still, then trials. Calibration takes a session's *first* n
windows: after one or two, in which nobody has moved, the probability stays near the share of good outcomes.

## How well it did on the test patients

Unit: the patient. {prevalence:.0%} of them are good, so always saying so is right that often. Recovery itself, which no
electrode sees, reaches an AUC of {ceiling}: chance has its share in the simulated outcome. 95 % intervals.

| windows | patients | AUC, DeLong | AUC, bootstrap over patients | Brier |
|---|---|---|---|---|
{rows}

These figures are what simulated patients of effect {effect:g} allow; never put them beside figures of real patients.

## Numbers

fp32. The graph's logits differ from the same network in float64 by at most {parity:.1e}; another engine may differ by
1e-4. A window's bits do not depend on the batch that it is in; each engine checks that for itself before it serves.
"""


def card(facts: Facts) -> str:
    """Return the card as Markdown."""
    rows = "\n".join(
        f"| {row.n_windows} | {row.n_patients} | {row.delong} | {row.bootstrap} | {row.brier:.3f} |"
        for row in facts.rows
    )
    return CARD.format(**{**vars(facts), "rows": rows})
