"""The figures of a report. Colour is never alone: each line has a stroke of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from training.reporting.drawing import INK, QUIET, SERIES, STROKES, Drawing, sheet
from training.reporting.words import dealt, figure, interval_of, number, value_of

Model = Mapping[str, Any]
#: Opacity of a band of an interval.
BAND = 0.18
#: Height of the two panels of a reliability figure: the curve, and how many patients it rests on.
PANELS = (3.2, 1.0)


def roc(models: Sequence[Model]) -> Drawing:
    """Draw true against false positives of every model, with the first one's bootstrap band.

    Parameters
    ----------
    models : sequence of mapping
        With ``roc``; the network first.
    """
    with sheet((5.8, 4.8)) as page:
        axes = page.figure.add_subplot(aspect="equal")
        _diagonal(axes)
        for number_, (model, look) in enumerate(zip(models, _looks(), strict=False)):
            curve = model["roc"]
            if number_ == 0 and curve.get("low") and curve.get("high"):
                axes.fill_between(curve["fpr"], curve["low"], curve["high"], color=look["color"], alpha=BAND, lw=0)
            auc = number(model["figures"]["auc"])
            axes.plot(curve["fpr"], curve["tpr"], label=f"{model['name']}, AUC {auc}, n = {model['n']}", **look)
        _square(axes, "False positives (share of poor outcomes)", "True positives (share of good outcomes)")
        axes.legend(loc="lower right")
    words = "; ".join(f"{model['name']}: AUC {figure(model['figures']['auc'])}, n = {model['n']}" for model in models)
    return page.drawing(
        "roc",
        f"ROC curves of {len(models)} models. {words}.",
        f"Out-of-fold patients. Band: 95 % bootstrap over patients, of {models[0]['name']}. Thin diagonal: chance.",
    )


def reliability(model: Model) -> Drawing:
    """Draw how often a good outcome came where it was said to, with the number of patients at each point."""
    points = [point for point in model["reliability"] if point["n"] and value_of(point["observed"]) is not None]
    with sheet((5.8, 5.4)) as page:
        curve, counts = page.figure.subplots(2, sharex=True, height_ratios=PANELS)
        _diagonal(curve)
        for point in points:
            if point.get("low") is not None and point.get("high") is not None:
                curve.plot([point["p"]] * 2, [point["low"], point["high"]], color=SERIES[0], lw=1.4)
        curve.plot(
            [point["p"] for point in points],
            [point["observed"] for point in points],
            "o",
            color=SERIES[0],
            clip_on=False,
        )
        _square(curve, "", "Share with a good outcome")
        counts.bar([point["p"] for point in points], [point["n"] for point in points], 0.05, color=SERIES[0], alpha=0.5)
        for point in points:
            counts.annotate(str(point["n"]), (point["p"], point["n"]), ha="center", va="bottom", color=INK, fontsize=9)
        counts.margins(y=0.35)
        counts.set(xlabel="Probability of a good outcome", ylabel="patients")
        counts.grid(False)
    words = "; ".join(f"said {number(p['p'])}, came {number(p['observed'])}, n = {p['n']}" for p in points)
    return page.drawing(
        f"reliability-{model['name']}",
        f"Reliability of {model['name']} in {len(points)} groups of patients: {words}.",
        f"{model['name']}, {model['n']} patients. Points on the diagonal keep their word. Bars: 95 % intervals; below: "
        "how many patients each point rests on.",
    )


def decision(model: Model) -> Drawing:
    """Draw the net benefit over thresholds against treating all and treating none (Vickers and Elkin 2006)."""
    points = model["decision"]
    threshold = [point["threshold"] for point in points]
    with sheet() as page:
        axes = page.figure.add_subplot()
        lines = (("net_benefit", model["name"]), ("all", "treat all"), ("none", "treat none"))
        for (key, label), look in zip(lines, _looks(), strict=False):
            axes.plot(threshold, _numbers(points, key), label=label, **look)
        low, high = _numbers(points, "low"), _numbers(points, "high")
        axes.fill_between(threshold, low, high, color=SERIES[0], alpha=BAND, lw=0)
        highest = float(np.nanmax(_numbers(points, "net_benefit"), initial=0.05))
        # Treating all falls without bound: what lies far below 0 is of no use to anybody.
        axes.set(ylim=(-0.1, highest * 1.25), xlim=(0, 1), xlabel="Threshold probability", ylabel="Net benefit")
        axes.legend()
    return page.drawing(
        f"decision-{model['name']}",
        f"Net benefit of {model['name']} for thresholds from {number(min(threshold))} to {number(max(threshold))}, "
        f"beside treating all and treating none. {_use(points)}",
        f"{model['name']}, {model['n']} patients, with a 95 % band. Useful where it lies above both other lines; "
        "which threshold matters is for clinicians to say.",
    )


def by_windows(model: Model) -> Drawing:
    """Draw the AUC after the first 1, 3, 12 ... windows of each patient."""
    rows = [row for row in model["by_windows"] if value_of(row["auc"]) is not None]
    with sheet() as page:
        axes = page.figure.add_subplot()
        axes.axhline(0.5, color=QUIET, lw=1)
        for place, row in enumerate(rows):
            if (bounds := interval_of(row["auc"])) is not None:
                axes.plot([place, place], bounds, color=SERIES[0], lw=1.4)
        axes.plot(range(len(rows)), _numbers(rows, "auc"), "o-", color=SERIES[0], lw=2)
        axes.set_xticks(range(len(rows)), [f"{row['n_windows']}\n(n = {row['patients']})" for row in rows])
        axes.set(ylim=(0, 1.02), xlim=(-0.5, len(rows) - 0.5), xlabel="Windows of 10 s (patients)", ylabel="AUC")
    words = "; ".join(f"after {row['n_windows']}: {figure(row['auc'])}, n = {row['patients']}" for row in rows)
    return page.drawing(
        f"by-windows-{model['name']}",
        f"AUC of {model['name']} by number of windows. {words}.",
        f"{model['name']} on each patient's first windows; the unit is still the patient. Line at 0.5: chance. Bars: "
        "95 % intervals, where there is one.",
    )


def permuted(control: Mapping[str, Any]) -> Drawing:
    """Draw what the same model reaches on shuffled labels, and where the true labels put it."""
    values = control["values"]
    observed = value_of(control["observed"])
    with sheet((5.8, 3.2)) as page:
        axes = page.figure.add_subplot()
        axes.hist(values, bins="auto", color=QUIET, alpha=0.6)
        if observed is not None:
            axes.axvline(observed, color=SERIES[1], lw=2, ls="--", label=f"true labels: {number(observed)}")
            axes.legend()
        axes.set(xlabel="AUC, mean within folds", ylabel=dealt(control))
    return page.drawing(
        "permuted",
        f"Histogram of {len(values)} AUCs of {control['model']} on permuted labels, mean {number(control['mean'])}, "
        f"SD {number(control['sd'], 3)}; with the true labels {number(observed)}.",
        f"{control['model']}: {len(values)} {dealt(control)} on shuffled labels, on the same splits.",
    )


def learning(curves: Sequence[Mapping[str, Any]], best: Sequence[int]) -> Drawing:
    """Draw the losses over the epochs, a thin line for each fit and a thick one for their mean.

    Parameters
    ----------
    curves : sequence of mapping
        ``label`` and ``folds``, a list of (epochs, losses), for the patients that train and those that stop: a panel
        each, since only one of the two is taken while the network changes.
    best : sequence of int
        The epoch of each fit whose loss was lowest among those that stop; a tick of its own in the last panel.
    """
    with sheet((5.8, 5.2)) as page:
        panels = page.figure.subplots(len(curves), sharex=True)
        for axes, curve in zip(panels, curves, strict=True):
            for epochs, losses in curve["folds"]:
                axes.plot(epochs, losses, color=SERIES[0], lw=0.6, alpha=0.35)
            axes.plot(*_mean_over_folds(curve["folds"]), color=SERIES[0], lw=2)
            axes.set(ylabel=f"Loss,\n{curve['label']}")
        axes.plot(best, [0.03] * len(best), "|", color=INK, ms=9, transform=axes.get_xaxis_transform())
        axes.set(xlabel="Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    n_fits = len(curves[0]["folds"])
    ends = "; ".join(f"{curve['label']} ends at {number(_mean_over_folds(curve['folds'])[1][-1])}" for curve in curves)
    return page.drawing(
        "learning",
        f"Losses over the epochs of {n_fits} fits, mean over those still running: {ends}.",
        f"{n_fits} fits, a thin line each; thick: mean of those still running. Both losses are the logit's; the "
        "upper one is taken while the network changes: its course counts. Ticks: the lowest loss of each fit among "
        "the patients that stop, where its network was kept, unless the untrained one was as good.",
    )


def _mean_over_folds(folds: Sequence[tuple[Sequence[int], Sequence[float]]]) -> tuple[list[int], list[float]]:
    losses: dict[int, list[float]] = {}
    for epochs, values in folds:
        for epoch, value in zip(epochs, values, strict=True):
            losses.setdefault(epoch, []).append(value)
    return sorted(losses), [float(np.mean(losses[epoch])) for epoch in sorted(losses)]


def _looks() -> Any:
    strokes = cycle(STROKES)
    return ({"color": colour, "linestyle": next(strokes), "linewidth": 2.0} for colour in cycle(SERIES))


def _diagonal(axes: Axes) -> None:
    axes.plot([0, 1], [0, 1], color=QUIET, lw=1)


def _square(axes: Axes, x: str, y: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=x, ylabel=y)


def _numbers(points: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """Return a column with holes where a value is missing: a hole is drawn as one, never as 0."""
    found = (value_of(point.get(key)) for point in points)
    return [float("nan") if value is None else value for value in found]


def _use(points: Sequence[Mapping[str, Any]]) -> str:
    """Return where the model does better than both simple rules."""
    useful = [
        point["threshold"]
        for point in points
        if (value_of(point["net_benefit"]) or 0.0) > max(value_of(point["all"]) or 0.0, value_of(point["none"]) or 0.0)
    ]
    if not useful:
        return "It is above both at no threshold."
    where = f"between {min(useful):.2f} and {max(useful):.2f}"
    return f"It is above both at {len(useful)} of {len(points)} thresholds, {where}."
