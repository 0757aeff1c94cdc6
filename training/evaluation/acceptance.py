"""What a run on simulated patients of known effect must show, or the path is broken.

``python -m training.evaluation.acceptance RUN``

Without an effect there is nothing to find, in any run: the AUC within folds of what its control is of (the band-power
baseline, a network of scans, a fusion) lies among those of outcomes that were dealt anew. With an easy one the network
of band power must find it, and mean what it says: the slope of its calibration after 3, 12 and all windows. Of a run
on scans or of fusions with an easy effect nothing is demanded, nor of an effect in between.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import RunError
from training.evaluation.document import read_evaluation

#: The network that is held to it; the paper's (`lstm-raw`) is reported as what it reaches.
NETWORK = "lstm-bands"
#: Largest deviation from permuted outcomes, in their standard deviations; chance passes it once in 2,000 runs.
LARGEST_Z = 3.5
#: What a network's AUC over patients must exceed where recovery is easy to see, and its interval's lower end.
LEAST_AUC, LEAST_LOW = 0.75, 0.5
#: Where the slope of a network's calibration must lie, and after how many windows.
SLOPES, WINDOWS = (0.8, 1.25), (3, 12, "all")
#: Effects of a simulated cohort: none, and easy.
NONE, EASY = 0.0, 2.0


@dataclass(frozen=True)
class Demand:
    """One demand: what was asked, what was found, and whether that is enough."""

    words: str
    found: str
    met: bool


def demands(evaluation: Mapping[str, Any]) -> list[Demand]:
    """Return what is demanded of a run; nothing of one on real patients, with another effect, or without ``NETWORK``.

    Parameters
    ----------
    evaluation : mapping
        ``evaluation.json``.
    """
    effect = evaluation["run"].get("effect")
    if effect == NONE:
        return [_finds_nothing(evaluation["permuted"])]
    if effect == EASY:
        networks = [model for model in evaluation["models"] if model["name"] == NETWORK]
        return [demand for model in networks for demand in (_finds(model), *_means_it(model))]
    return []


def _finds_nothing(control: Mapping[str, Any]) -> Demand:
    aucs = f"AUC {control['observed']:.3f} against {control['mean']:.3f} (SD {control['sd']:.3f})"
    words = f"effect 0: |z| of {control['model']} below {LARGEST_Z:g}"
    if control["z"] is None and math.isclose(control["observed"], control["mean"]):
        # Weights of 0 say one number to everybody, whatever the outcomes: there is no spread to lie in.
        return Demand(words, f"one number for everybody, {aucs}", met=True)
    z = math.nan if control["z"] is None else control["z"]
    return Demand(words, f"z {z:.2f}, {aucs}", abs(z) < LARGEST_Z)


def _finds(model: Mapping[str, Any]) -> Demand:
    figure = model["figures"]["auc"]
    value, low, high = (math.nan if figure[key] is None else figure[key] for key in ("value", "low", "high"))
    return Demand(
        f"effect 2: AUC of {model['name']} above {LEAST_AUC:g}, its interval above {LEAST_LOW:g}",
        f"{value:.3f} ({low:.3f} to {high:.3f})",
        value > LEAST_AUC and low > LEAST_LOW,
    )


def _means_it(model: Mapping[str, Any]) -> Iterator[Demand]:
    rows = {row["n_windows"]: row["calibration_slope"] for row in model["by_windows"]}
    low, high = SLOPES
    for n in WINDOWS:
        words = f"effect 2: calibration slope of {model['name']} after {n} windows from {low:g} to {high:g}"
        slope = rows.get(n)
        if slope is None or slope["value"] is None:
            yield Demand(
                words, "none: too few patients with so many windows, or told apart without an error", met=False
            )
        else:
            found = f"{slope['value']:.2f} ({slope['low']:.2f} to {slope['high']:.2f})"
            yield Demand(words, found, low <= slope["value"] <= high)


def _why_nothing(evaluation: Mapping[str, Any]) -> str:
    if evaluation["run"].get("effect") == EASY:
        return f"with effect 2 only {NETWORK} is held to anything, and no network of this run is that one"
    return "the patients are not simulated with effect 0 or 2"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every demand; return 0 if all are met, 1 if one is not, 3 if none applies or the run was not evaluated."""
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluation.acceptance", description=__doc__.split("\n")[0]
    )
    parser.add_argument("run", type=Path, help="folder of a run that was evaluated")
    try:
        evaluation = read_evaluation(parser.parse_args(arguments).run)
    except RunError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    asked = demands(evaluation)
    for one in asked:
        print(f"{'met' if one.met else 'NOT MET'}: {one.words}; found {one.found}")
    if not asked:
        print(f"nothing is demanded: {_why_nothing(evaluation)}", file=sys.stderr)
        return 3
    return 0 if all(one.met for one in asked) else 1


if __name__ == "__main__":
    sys.exit(main())
