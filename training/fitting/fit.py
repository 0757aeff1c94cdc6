"""The training loop, whatever is learned from: rows of patients are shown, patients are judged (law 9).

Each row's loss counts its weight over its patient's sum, so that a patient counts once. Training stops on the loss over
patients that it does not train on. A fit that was interrupted goes on where it was, bit for bit. What differs between
windows of a signal and slices of a scan is a :class:`.lesson.Lesson`.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from training.data.batches import Batch, Dealt
from training.errors import Interrupted
from training.fitting.arithmetic import arithmetic
from training.fitting.checkpoints import BEST, Keeper
from training.fitting.epochs import EpochReport, Meter, Pass, Watcher
from training.fitting.judging import patient_losses
from training.fitting.lesson import Lesson, LoopSpec
from training.fitting.objective import not_finite, refuse_not_finite
from training.statistics.auc import auc
from training.watching import NOBODY

#: More than so many epochs without a better loss make the learning rate so much smaller.
PLATEAU_PATIENCE, PLATEAU_FACTOR = 3, 0.5


@dataclass(frozen=True)
class Fitted:
    """A trained network and how it came about.

    Parameters
    ----------
    net : Module
        That of the best epoch, on the CPU.
    losses : tuple of float
        Of the stopping patients after each epoch.
    best_epoch : int
        From 0; -1 where no epoch was better than none at all.
    reports : tuple of EpochReport
        One for each epoch.
    """

    net: nn.Module
    losses: tuple[float, ...]
    best_epoch: int
    reports: tuple[EpochReport, ...]


def fit(
    train: Sequence[Dealt],
    stop: Sequence[Dealt],
    spec: LoopSpec,
    *,
    held_out: Collection[str] = (),
    keeper: Keeper | None = None,
    watcher: Watcher = NOBODY,
) -> Fitted:
    """Train on some patients until others say enough.

    Parameters
    ----------
    train, stop : sequence of Dealt
        No patient in both.
    spec : LoopSpec
        Settings; they know how patients are shown and judged.
    held_out : collection of str
        Patients who are to test the network; none of them may be in the other two.
    keeper : Keeper, optional
        Keeps the state; a fit that it knows goes on where it was, and ends with the same bits as if never stopped.
    watcher : Watcher
        Is told how far it is.

    Raises
    ------
    TrainingError, FingerprintMismatch
        If the patients do not fit together (:meth:`.lesson.Lesson.check`), or a loss is not finite; names the patients.
    RunError
        If what is kept belongs to another fit.
    Interrupted
        If the keeper was told to halt; the state is kept.
    """
    lesson = spec.lesson()
    lesson.check(train, stop, held_out)
    with arithmetic(spec.device, tf32=spec.tf32) as device:
        torch.manual_seed(spec.seed)
        fitting = Fitting(train, stop, lesson, device, keeper, watcher)
        while not fitting.over:
            fitting.run_epoch()
        return fitting.fitted()


class Fitting:
    """A fit under way: everything that changes while it runs, and how that is kept.

    Parameters are those of ``fit``, but the lesson for its settings, and the device; it computes within ``arithmetic``.
    """

    def __init__(
        self,
        train: Sequence[Dealt],
        stop: Sequence[Dealt],
        lesson: Lesson,
        device: torch.device,
        keeper: Keeper | None = None,
        watcher: Watcher = NOBODY,
    ) -> None:
        self._lesson, self._spec, self._stop = lesson, lesson.spec, stop
        self._device, self._keeper, self._watcher = device, keeper, watcher
        spec = self._spec
        self._generator = np.random.default_rng(spec.seed)
        self._batches = lesson.batches(train, self._generator)
        self._names = [p.patient for p in train for _ in range(len(p))]
        scores = [np.nan if p.fma is None else p.fma for p in train for _ in range(len(p))]
        self._fma = np.array(scores, np.float32)
        self.net = lesson.network(train).to(device)
        parameters = self.net.parameters()
        self._optimiser = torch.optim.AdamW(parameters, lr=spec.learning_rate, weight_decay=spec.weight_decay)
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self._optimiser, factor=PLATEAU_FACTOR, patience=PLATEAU_PATIENCE
        )
        self._reports: list[EpochReport] = []
        self._pass: Pass | None = None
        self._about = lesson.about(train, stop)
        kept = keeper.read(self._about) if keeper else None
        if kept is None:
            loss = self.judge()[0] if lesson.untrained_counts else math.inf
            self._best = _Best(loss, -1, copy.deepcopy(self.net.state_dict()))
            self._keep_best()
        else:
            self._restore(kept)

    @property
    def epoch(self) -> int:
        """The pass that is under way or comes next, from 0."""
        return len(self._reports)

    @property
    def over(self) -> bool:
        """Whether there is nothing more to be done."""
        # Crops are no trial: patience begins with the first pass over whole windows.
        since = max(self._best.epoch, self._lesson.warm_epochs - 1)
        return self.epoch >= self._spec.epochs or self.epoch - 1 - since >= self._spec.patience

    def fitted(self) -> Fitted:
        """Return the best network."""
        self.net.load_state_dict(self._best.net)
        losses = tuple(report.stop_loss for report in self._reports)
        return Fitted(self.net.eval().cpu(), losses, self._best.epoch, tuple(self._reports))

    def run_epoch(self) -> None:
        """Show every row once, or those that an interrupted pass has left; then judge, and keep all."""
        self._pass = self._pass or Pass(json.dumps(self._generator.bit_generator.state))
        self._generator.bit_generator.state = json.loads(self._pass.generator)
        self.net.train()
        meter = Meter(self._pass, self._batches)
        # An interrupted pass is dealt again in the same order; what was shown then is read and put aside.
        for batch in islice(self._batches, self._pass.steps, None):
            loss = self.step(batch)
            meter.count(loss, len(batch.y))
            self._watcher.shown(self.epoch, self._pass.windows, self._batches.n_windows)
            if self._pass.steps < len(self._batches):
                self._keep_within()
        self._close(self._pass)

    def step(self, batch: Batch) -> float:
        """Learn from a batch; return the sum of its rows' losses, those of the logit."""
        names = [self._names[i] for i in batch.indices]
        columns = (batch.x, batch.y, batch.share, self._fma[batch.indices])
        x, good, share, fma = (torch.from_numpy(column).to(self._device) for column in columns)
        x = self._lesson.shown(x, self.epoch)
        at_once = self._lesson.at_once(self._device) or len(x)
        amp = self._spec.amp and self._device.type == "cuda"
        total = 0.0
        self._optimiser.zero_grad()
        for first in range(0, len(x), at_once):
            some = slice(first, first + at_once)
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=amp):
                losses = self._lesson.losses(self.net, x[some], good[some], fma[some])
            refuse_not_finite(losses.whole, names[some], self.epoch)
            ((losses.whole * share[some]).sum() / len(x)).backward()
            total += float((losses.of_logit.detach() * share[some]).sum())
        if not nn.utils.clip_grad_norm_(self.net.parameters(), self._spec.clip).isfinite():
            raise not_finite("gradient", names, self.epoch)
        self._optimiser.step()
        return total

    def judge(self) -> tuple[float, float | None]:
        """Return loss and AUC of the stopping patients."""
        logits, good = self._lesson.logits(self.net, self._stop), [p.good for p in self._stop]
        losses = patient_losses(logits, good)
        refuse_not_finite(torch.from_numpy(losses), [p.patient for p in self._stop], self.epoch)
        return float(losses.mean()), auc(good, logits) if len(set(good)) > 1 else None

    def _close(self, done: Pass) -> None:
        epoch, rate = self.epoch, float(self._optimiser.param_groups[0]["lr"])
        warm = epoch < self._lesson.warm_epochs
        loss, (stop_loss, stop_auc) = done.loss / done.windows, self.judge()
        times = done.windows, done.seconds, done.waiting_s
        self._reports.append(EpochReport(epoch, loss, stop_loss, stop_auc, rate, *times, warm))
        self._pass = None
        if stop_loss < self._best.loss:
            self._best = _Best(stop_loss, epoch, copy.deepcopy(self.net.state_dict()))
            self._keep_best()
        if self._spec.schedule == "plateau" and not warm:
            self._plateau.step(stop_loss)
        self._keep()
        self._watcher.epoch(self._reports[-1])
        if not self.over:
            self._stop_if_told()

    def _keep_within(self) -> None:
        """Keep the state within a pass, where that is due or the fit is to stop."""
        if self._keeper and (self._keeper.due or self._keeper.halted()):
            self._keep()
            self._stop_if_told()

    def _stop_if_told(self) -> None:
        if self._keeper and self._keeper.halted():
            raise Interrupted(f"Training was stopped in epoch {self.epoch + 1}; what it has learned is kept.")

    def _keep_best(self) -> None:
        if self._keeper:
            facts = {"best_epoch": self._best.epoch, "stop_loss": self._best.loss}
            self._lesson.write_best(self._keeper.folder / BEST, self.net, facts)

    def _keep(self) -> None:
        if self._keeper:
            self._keeper.write(self._about, self._state())

    def _state(self) -> dict[str, Any]:
        return {
            "net": self.net.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "plateau": self._plateau.state_dict(),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if self._device.type == "cuda" else [],
            "order": json.dumps(self._generator.bit_generator.state),
            "pass": asdict(self._pass) if self._pass else None,
            "best": vars(self._best),
            "reports": [astuple(report) for report in self._reports],
        }

    def _restore(self, kept: Mapping[str, Any]) -> None:
        self._best = _Best(**kept["best"])
        # Its file may have been deleted since, as whoever finds it torn is told to.
        self.net.load_state_dict(self._best.net)
        self._keep_best()
        self.net.load_state_dict(kept["net"])
        self._optimiser.load_state_dict(kept["optimiser"])
        self._plateau.load_state_dict(kept["plateau"])
        torch.set_rng_state(kept["torch"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state_all(kept["cuda"])
        self._generator.bit_generator.state = json.loads(kept["order"])
        self._pass = Pass(**kept["pass"]) if kept["pass"] else None
        self._reports = [EpochReport(*report) for report in kept["reports"]]
        for report in self._reports:
            self._watcher.epoch(report)


@dataclass
class _Best:
    """The network that the stopping patients liked best."""

    loss: float
    epoch: int
    net: dict[str, Tensor]
