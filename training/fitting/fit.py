"""The training loop: windows are shown, patients are judged (law 9).

Each window's loss counts its quality weight over its patient's sum, so that a patient counts once. Training stops on
the loss over patients that it does not train on. A fit that was interrupted goes on where it was, bit for bit.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field
from itertools import islice
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from training.data.batches import Batch, Batches
from training.data.tokens import N_BANDS
from training.data.windows import PatientWindows
from training.errors import Interrupted, TrainingError
from training.fitting.admission import check_patients
from training.fitting.arithmetic import arithmetic
from training.fitting.augmentation import SILENT, cropped, with_bad_channels
from training.fitting.checkpoints import Keeper
from training.fitting.epochs import EpochReport, Meter, Pass, Watcher
from training.fitting.judging import patient_logits, patient_losses
from training.fitting.objective import not_finite, refuse_not_finite, window_losses
from training.models.heads import FmaScale, Heads
from training.models.networks import NetworkSpec, Scale, StackedLstm, build
from training.statistics.auc import auc
from training.watching import NOBODY

#: Windows of samples that a CPU learns from at once: the states of 10,000 steps are kept until the gradient is known,
#: 90 MB for each window. A step of more windows sums its gradient over such parts.
SAMPLES_AT_ONCE = 8
#: More than so many epochs without a better loss make the learning rate so much smaller.
PLATEAU_PATIENCE, PLATEAU_FACTOR = 3, 0.5


@dataclass(frozen=True)
class FitSpec:
    """Settings of a fit.

    Parameters
    ----------
    seed : int
        Of initial weights, order, dropout and dropped channels.
    epochs, patience : int
        At most so many passes; fewer when so many in a row brought no better loss on the stopping patients.
    batch : int
        Windows per step.
    learning_rate, weight_decay, clip : float
        Of AdamW, which without decay is Adam, and the largest norm of a gradient.
    channel_dropout : float
        Chance that a channel of a window is shown as a bad one, zeroed.
    schedule : {"none", "plateau"}
        Whether the rate is halved when the loss of the stopping patients gets no better.
    warm_start : int
        First passes that show crops of a second; patience and schedule begin after them. For ``raw`` alone.
    device : str
        ``auto`` takes a GPU if there is one.
    tf32, amp : bool
        Whether a GPU may round products to 10 bits, and compute in bfloat16.
    network : NetworkSpec
        What is trained.
    """

    seed: int
    epochs: int = 30
    patience: int = 6
    batch: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    clip: float = 1.0
    channel_dropout: float = 0.05
    schedule: Literal["none", "plateau"] = "none"
    warm_start: int = 0
    device: str = "auto"
    tf32: bool = False
    amp: bool = False
    network: NetworkSpec = field(default_factory=NetworkSpec)


@dataclass(frozen=True)
class Fitted:
    """A trained network and how it came about.

    Parameters
    ----------
    net : StackedLstm
        That of the best epoch, on the CPU.
    losses : tuple of float
        Of the stopping patients after each epoch.
    best_epoch : int
        From 0; -1 where no epoch was better than none at all.
    reports : tuple of EpochReport
        One for each epoch.
    """

    net: StackedLstm
    losses: tuple[float, ...]
    best_epoch: int
    reports: tuple[EpochReport, ...]


def fit(
    train: Sequence[PatientWindows],
    stop: Sequence[PatientWindows],
    spec: FitSpec,
    *,
    held_out: Collection[str] = (),
    keeper: Keeper | None = None,
    watcher: Watcher = NOBODY,
) -> Fitted:
    """Train on the windows of some patients until those of others say enough.

    Parameters
    ----------
    train, stop : sequence of PatientWindows
        No patient in both.
    spec : FitSpec
        Settings.
    held_out : collection of str
        Patients who are to test the network; none of them may be in the other two.
    keeper : Keeper, optional
        Keeps the state; a fit that it knows goes on where it was, and ends with the same bits as if never stopped.
    watcher : Watcher
        Is told how far it is.

    Raises
    ------
    TrainingError, FingerprintMismatch
        If the patients do not fit together (``check_patients``), or a loss is not finite; names the patients.
    RunError
        If what is kept belongs to another fit.
    Interrupted
        If the keeper was told to halt; the state is kept.
    """
    check_patients(train, stop, held_out)
    with arithmetic(spec.device, tf32=spec.tf32) as device:
        torch.manual_seed(spec.seed)
        fitting = Fitting(train, stop, spec, device, keeper, watcher)
        while not fitting.over:
            fitting.run_epoch()
        return fitting.fitted()


class Fitting:
    """A fit under way: everything that changes while it runs, and how that is kept.

    Parameters are those of ``fit``, and the device; it computes within ``arithmetic``.
    """

    def __init__(
        self,
        train: Sequence[PatientWindows],
        stop: Sequence[PatientWindows],
        spec: FitSpec,
        device: torch.device,
        keeper: Keeper | None = None,
        watcher: Watcher = NOBODY,
    ) -> None:
        self._spec, self._stop, self._device, self._keeper, self._watcher = spec, stop, device, keeper, watcher
        self._generator = np.random.default_rng(spec.seed)
        self._batches = Batches(train, spec.batch, self._generator, raw=spec.network.reads_samples)
        self._names = [p.patient for p in train for _ in range(len(p))]
        scores = [np.nan if p.fma is None else p.fma for p in train for _ in range(len(p))]
        self._fma = np.array(scores, np.float32)
        self.net = network_for(train, spec.network).to(device)
        parameters = self.net.parameters()
        self._optimiser = torch.optim.AdamW(parameters, lr=spec.learning_rate, weight_decay=spec.weight_decay)
        self._plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            self._optimiser, factor=PLATEAU_FACTOR, patience=PLATEAU_PATIENCE
        )
        self._reports: list[EpochReport] = []
        self._pass: Pass | None = None
        self._about = about_of(train, stop, spec)
        kept = keeper.read(self._about) if keeper else None
        if kept is None:
            self._best = _Best(self.judge()[0], -1, copy.deepcopy(self.net.state_dict()))
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
        since = max(self._best.epoch, self._spec.warm_start - 1)
        return self.epoch >= self._spec.epochs or self.epoch - 1 - since >= self._spec.patience

    def fitted(self) -> Fitted:
        """Return the best network."""
        self.net.load_state_dict(self._best.net)
        losses = tuple(report.stop_loss for report in self._reports)
        return Fitted(self.net.eval().cpu(), losses, self._best.epoch, tuple(self._reports))

    def run_epoch(self) -> None:
        """Show every window once, or those that an interrupted pass has left; then judge, and keep all."""
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
        """Learn from a batch; return the sum of its windows' losses, those of the logit."""
        names = [self._names[i] for i in batch.indices]
        columns = (batch.x, batch.y, batch.share, self._fma[batch.indices])
        x, good, share, fma = (torch.from_numpy(column).to(self._device) for column in columns)
        x = self._as_shown(x)
        in_parts = self._spec.network.reads_samples and self._device.type == "cpu"
        amp = self._spec.amp and self._device.type == "cuda"
        at_once = SAMPLES_AT_ONCE if in_parts else len(x)
        total = 0.0
        self._optimiser.zero_grad()
        for first in range(0, len(x), at_once):
            some = slice(first, first + at_once)
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=amp):
                losses = window_losses(self.net, x[some], good[some], fma[some])
            refuse_not_finite(losses.whole, names[some], self.epoch)
            ((losses.whole * share[some]).sum() / len(x)).backward()
            total += float((losses.of_logit.detach() * share[some]).sum())
        if not nn.utils.clip_grad_norm_(self.net.parameters(), self._spec.clip).isfinite():
            raise not_finite("gradient", names, self.epoch)
        self._optimiser.step()
        return total

    def judge(self) -> tuple[float, float | None]:
        """Return loss and AUC of the stopping patients."""
        logits, good = patient_logits(self.net, self._stop), [p.good for p in self._stop]
        losses = patient_losses(logits, good)
        refuse_not_finite(torch.from_numpy(losses), [p.patient for p in self._stop], self.epoch)
        return float(losses.mean()), auc(good, logits) if len(set(good)) > 1 else None

    def _as_shown(self, x: Tensor) -> Tensor:
        """Return windows as they are shown: cropped in a warm start, with some channels as bad ones are."""
        if self.epoch < self._spec.warm_start:
            x = cropped(x)
        if self._spec.network.reads_samples:
            return with_bad_channels(x, self._spec.channel_dropout, n_values=1, silent=0.0)
        return with_bad_channels(x, self._spec.channel_dropout, n_values=N_BANDS, silent=SILENT)

    def _close(self, done: Pass) -> None:
        epoch, rate, warm = self.epoch, float(self._optimiser.param_groups[0]["lr"]), self.epoch < self._spec.warm_start
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
            facts = {"best_epoch": self._best.epoch, "stop_loss": self._best.loss, "warm_start": self._spec.warm_start}
            self._keeper.write_best(self.net, self._spec.network, facts)

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


def network_for(train: Sequence[PatientWindows], spec: NetworkSpec) -> StackedLstm:
    """Return the untrained network of `spec`, with the scales of these patients' tokens and scores.

    Raises
    ------
    TrainingError
        If a head needs scores and no patient has one.
    """
    scores = [p.fma for p in train if p.fma is not None]
    if spec.heads and not scores:
        raise TrainingError(
            f"Heads {', '.join(spec.heads)} learn from FMA scores, and no training patient has one.",
            subject="model.heads",
            remedy="Leave model.heads empty, or give fma_le_3mo in participants.tsv.",
        )
    heads = Heads(FmaScale.of(scores) if "fma" in spec.heads else None, "ordinal" in spec.heads)
    n_channels = train[0].tokens.shape[2] // N_BANDS
    scale = None if spec.kind == "raw" else Scale.of(np.concatenate([p.tokens for p in train]))
    return build(spec, n_channels, scale, heads)


def about_of(
    train: Sequence[PatientWindows], stop: Sequence[PatientWindows], spec: FitSpec
) -> dict[str, str | list[str]]:
    """Return what a fit is, for its checkpoint: no other fit may go on with that."""
    digest = hashlib.sha256()
    for p in (*train, *stop):
        digest.update(repr((p.patient, p.good, p.fma, p.fingerprint, p.recording_sha256)).encode())
        digest.update(p.weights.tobytes() + p.index.tobytes())
    return {
        "settings": json.dumps(asdict(spec), sort_keys=True),
        "training patients": [p.patient for p in train],
        "stopping patients": [p.patient for p in stop],
        "windows": digest.hexdigest(),
    }
