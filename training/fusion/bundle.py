"""Bundle: the weights of all patients, with their draws, bound to the two bundles that they were fitted behind.

The heads' logits are those of the folds' networks, each on patients that it had not seen; the lines before the weights
are the bundles' own, as at the bedside.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.building import write_bundle
from inference.bundle import Bundle, FusionBundle
from inference.calibration import Calibration
from inference.fusion import weighing
from inference.manifest import FusionDraw
from training.bundles.placing import LICENCES, building, replace_bundle
from training.fusion.fitting import Pair

#: What the methods do, in words of the card.
DOES = {
    "equal": "Half the calibrated log-odds of EEG and EMG, half those of resting-state fMRI. **Untrained**: no patient "
    "had a say in these weights.",
    "logit_stack": "The calibrated log-odds of EEG and EMG and of resting-state fMRI, each times its weight, and a "
    "bias. The weights are at least 0 and drawn to one half each.",
    "mean_prob": "The weighted mean of both calibrated probabilities, as in the paper; the weight has the smallest "
    "log-loss over patients that neither network had seen, among 21 from 0 to 1.",
}
CARD = """# {name} {version}

{origin} Research use only; not a medical device, not for diagnosis.

{does}

| | weight | 90 % interval over resampled patients |
|---|---|---|
| EEG and EMG | {eeg_emg} |
| resting-state fMRI | {fmri} |

Made for the eeg_emg bundle {eeg_words} and the fmri bundle {fmri_words}; with any other bundle fusion is refused.
Fitted to {n} patients, {n_good} with a good outcome, by logits of networks that had not seen them.

A patient without one of the two has no fused number: the other one speaks alone, by its own calibration.
"""
ORIGINS = {
    "synthetic": "**Fitted to simulated patients alone (origin: synthetic). It shows that the path works; it says "
    "nothing about any real patient.**",
    "clinical": "**Fitted to the patients of one cohort (origin: clinical). Nobody has tried it on those of another "
    "ward.**",
}


def curve_of_bundle(bundle: Bundle) -> Calibration:
    """Return the calibration by which the bedside reads this bundle's logits."""
    return bundle.model.calibration[bundle.model.aggregation]


def origin_of(*origins: str) -> str:
    """Return the origin of what was learned from several: one simulated patient makes all of it synthetic."""
    return "clinical" if set(origins) == {"clinical"} else "synthetic"


def write_fusion(
    out: Path, pair: Pair, method: str, bundles: tuple[Bundle, Bundle], head: Mapping[str, Any], seed: int = 0
) -> FusionBundle:
    """Fit the weights of a pair behind the calibrations of its bundles, and write their bundle into `out`.

    Parameters
    ----------
    out : Path
        Its manifest is written last: until then the old one's hashes refuse the mixture.
    pair : Pair
        Of the networks that the bundles are of.
    method : str
    bundles : tuple of Bundle
        eeg_emg and fmri.
    head : mapping
        ``name``, ``version`` and ``training``, what people want to know.
    seed : int
        Of the draws.

    Raises
    ------
    BadEnvironment
        If the disk does not take it.
    """
    eeg_emg, fmri = bundles
    weights, draws = pair.weigh(method, (curve_of_bundle(eeg_emg), curve_of_bundle(fmri)), seed=seed)
    origin = origin_of(*(bundle.model.head.origin for bundle in bundles))
    manifest = {
        **head,
        "kind": "fusion",
        "origin": origin,
        "licence": LICENCES[origin],
        "method": method,
        "untrained": method == "equal",
        "weights": asdict(weights),
        "draws": [asdict(_short(draw, method)) for draw in draws],
        "bundles": {"eeg_emg": eeg_emg.sha256, "fmri": fmri.sha256},
        "n_min": eeg_emg.model.n_min,
        "n_ready": eeg_emg.model.n_ready,
    }
    with building(out) as place:
        card = place / "card.md"
        card.write_text("", encoding="utf-8")
        write_bundle(place, manifest)
        card.write_text(_card(FusionBundle.load(place), pair, bundles), encoding="utf-8")
        write_bundle(place, manifest)
        replace_bundle(place, [card.name], out)
    return FusionBundle.load(out)


def _card(fusion: FusionBundle, pair: Pair, bundles: tuple[Bundle, Bundle]) -> str:
    told, head = weighing(fusion.fusion)["weights"], fusion.fusion.head
    return CARD.format(
        name=head.name,
        version=head.version,
        origin=ORIGINS[head.origin],
        does=DOES[fusion.fusion.method],
        eeg_emg=_cells(told["eeg_emg"]),
        fmri=_cells(told["fmri"]),
        eeg_words=bundles[0].words,
        fmri_words=bundles[1].words,
        n=len(pair.patients),
        n_good=int(pair.good.sum()),
    )


def _cells(weight: Mapping[str, Any]) -> str:
    interval = weight["interval"]
    words = "none" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
    return f"{weight['value']:.3f} | {words}"


def _short(draw: FusionDraw, method: str) -> FusionDraw:
    """Return six digits: draws are for an interval. Those of a mean of probabilities are of a grid and stay."""
    if method == "mean_prob":
        return draw
    return FusionDraw(*(float(f"{value:.6g}") for value in (draw.eeg_emg, draw.fmri, draw.bias)))
