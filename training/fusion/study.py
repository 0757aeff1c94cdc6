"""What fusing two heads is worth, on simulated cohorts whose heads are known (origin: synthetic).

``python -m training.fusion.study`` prints the table of ``docs/fusion.md``. A cohort is the logits of two heads for n
patients that neither had seen. Given the outcome both are normal, with the AUC that was asked for, correlated, and two
and a half times too sure, as small networks are. Calibration and weights are fitted to those n; what they are worth is
told by the distribution that they were drawn from. There is no network here and no scan: only the arithmetic from
logits to the fused number is tried.
"""

from __future__ import annotations

import argparse
import sys
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from inference.manifest import METHODS
from training.fusion.methods import fit_weights, fused
from training.statistics.auc import aucs
from training.statistics.metrics import Z95
from training.statistics.weighting import fit_line

Floats = NDArray[np.float64]

#: Cohorts of each cell.
N_COHORTS = 500
#: Patients that choose the weights: those of the paper's split with EEG, those that train there, and all with EEG.
SIZES = (13, 60, 86)
#: Of the heads' logits, given the outcome.
CORRELATIONS = (0.0, 0.2, 0.5, 0.8)
#: AUC of the EEG-EMG head and of the fMRI head: equal, nearly, and far apart.
QUALITIES = ((0.72, 0.72), (0.72, 0.68), (0.80, 0.65))
#: How many times too large a head's log-odds are.
TOO_SURE = 2.5
#: Points of noise that judge a cell's weights, a power of two: evenly spread ones (Sobol), the same for both outcomes,
#: so that the AUC of a head comes out right to 0.001 without chance in it.
N_JUDGES = 2048


@dataclass(frozen=True)
class Cell:
    """One kind of cohort: how many patients, how alike the heads, and how good each is."""

    n: int
    correlation: float
    quality: tuple[float, float]


@dataclass(frozen=True)
class Row:
    """What one method reached in one cell.

    Parameters
    ----------
    cell : Cell
    method : str
    auc, better : float
        Of the fused number, mean over cohorts, and of the better head on the same judges.
    gain, error : float
        Mean of fused less better, and the standard error of that mean over cohorts.
    share : float
        Of the cohorts whose weights did not lose against the better head.
    log_loss, log_loss_better : float
        Of probabilities: fused, and of the head that has the smaller one when it is calibrated alone.
    """

    cell: Cell
    method: str
    auc: float
    better: float
    gain: float
    error: float
    share: float
    log_loss: float
    log_loss_better: float

    @property
    def low(self) -> float:
        """Lower end of the gain's 95 % interval."""
        return self.gain - Z95 * self.error


def cells() -> Iterator[Cell]:
    """Yield every cell of the table."""
    yield from (Cell(n, c, q) for q, c, n in product(QUALITIES, CORRELATIONS, SIZES))


def simulated(cell: Cell, rng: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the logits of both heads for a cohort, shape (2, n), and outcomes; half of them are good."""
    good = rng.permutation(np.arange(cell.n) % 2 == 0)
    return _logits(cell, good, rng.standard_normal((2, cell.n))), good


def judges(cell: Cell) -> tuple[Floats, NDArray[np.bool_]]:
    """Return logits and outcomes that stand for everybody of a cell's kind."""
    points = stats.qmc.Sobol(2, scramble=False).random(N_JUDGES) + 0.5 / N_JUDGES
    noise = np.tile(stats.norm.ppf(points).T, 2)
    good = np.arange(2 * N_JUDGES) < N_JUDGES
    return _logits(cell, good, noise), good


def _logits(cell: Cell, good: NDArray[np.bool_], noise: Floats) -> Floats:
    """Return the log-odds of normal scores whose means lie apart by outcome, too large by ``TOO_SURE``."""
    apart = np.sqrt(2.0) * np.asarray(stats.norm.ppf(cell.quality))[:, np.newaxis]
    mixed = cell.correlation * noise[0] + np.sqrt(1.0 - cell.correlation**2) * noise[1]
    return TOO_SURE * apart * (apart * (good - 0.5) + np.stack([noise[0], mixed]))


def rows_of(cell: Cell, n_cohorts: int = N_COHORTS, seed: int = 0) -> list[Row]:
    """Return what each method reached in a cell.

    Parameters
    ----------
    cell : Cell
    n_cohorts : int
        At least 2.
    seed : int
        Of the cohorts; each cell has draws of its own, the same in whatever order cells are tried.
    """
    rng = np.random.default_rng([seed, zlib.crc32(repr(cell).encode())])
    everybody, truth = judges(cell)
    better = float(aucs(truth, everybody).max())
    reached: dict[str, list[tuple[float, float]]] = {method: [] for method in METHODS}
    alone = []
    for _ in range(n_cohorts):
        logits, good = simulated(cell, rng)
        lines = [fit_line(x, good) for x in logits]
        x, y = (a * logit + b for (a, b), logit in zip(lines, logits, strict=True))
        own, other = (a * logit + b for (a, b), logit in zip(lines, everybody, strict=True))
        alone.append(min(_log_loss(head, truth) for head in (own, other)))
        for method, found in reached.items():
            both = fused(method, fit_weights(method, x, y, good), own, other)
            found.append((float(aucs(truth, both)), _log_loss(both, truth)))
    return [_row(cell, method, np.array(found), better, float(np.mean(alone))) for method, found in reached.items()]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as Markdown, a line for each cell."""
    head = ("AUC of the heads", "correlation", "patients", "better head", *METHODS)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for cell in dict.fromkeys(row.cell for row in rows):
        of = {row.method: row for row in rows if row.cell == cell}
        quality = " and ".join(f"{auc:.2f}" for auc in cell.quality)
        gains = (f"{of[m].gain:+.3f} ± {Z95 * of[m].error:.3f} ({of[m].share:.0%})" for m in METHODS)
        better = f"{next(iter(of.values())).better:.3f}"
        lines.append(f"| {' | '.join((quality, f'{cell.correlation:g}', str(cell.n), better, *gains))} |")
    return "\n".join(lines)


def loss_table(rows: Sequence[Row]) -> str:
    """Return the mean log-loss of each method, by number of patients and quality, over all correlations."""
    head = ("AUC of the heads", "patients", "better head alone", *METHODS)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for quality, n in dict.fromkeys((row.cell.quality, row.cell.n) for row in rows):
        here = [row for row in rows if (row.cell.quality, row.cell.n) == (quality, n)]
        alone = f"{np.mean([row.log_loss_better for row in here]):.3f}"
        said = (f"{np.mean([row.log_loss for row in here if row.method == method]):.3f}" for method in METHODS)
        lines.append(f"| {' | '.join((' and '.join(f'{auc:.2f}' for auc in quality), str(n), alone, *said))} |")
    return "\n".join(lines)


def _row(cell: Cell, method: str, found: Floats, better: float, alone: float) -> Row:
    gains = found[:, 0] - better
    error = float(gains.std(ddof=1) / np.sqrt(len(gains)))
    return Row(
        cell,
        method,
        float(found[:, 0].mean()),
        better,
        float(gains.mean()),
        error,
        float(np.mean(gains >= 0.0)),
        float(found[:, 1].mean()),
        alone,
    )


def _log_loss(log_odds: Floats, good: NDArray[np.bool_]) -> float:
    return float(np.mean(np.logaddexp(0.0, np.where(good, -log_odds, log_odds))))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables; return 0."""
    parser = argparse.ArgumentParser(prog="python -m training.fusion.study", description=__doc__.split("\n")[0])
    parser.add_argument("--cohorts", type=int, default=N_COHORTS, help="simulated cohorts of each cell")
    parser.add_argument("--seed", type=int, default=0, help="of the cohorts")
    asked = parser.parse_args(arguments)
    rows: list[Row] = []
    for cell in cells():
        rows += rows_of(cell, asked.cohorts, asked.seed)
        print(f"{cell} done", file=sys.stderr)
    print(f"{table(rows)}\n\n{loss_table(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
