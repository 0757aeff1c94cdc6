"""Progress of a training run, on stderr: a bar for each stage and each fold on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.cli import output
from deploy.cli.bars import Bars
from deploy.times import words_of

if TYPE_CHECKING:
    from rich.progress import TaskID

    from training.fitting.epochs import EpochReport


@dataclass
class FoldTrack:
    """One fold on its way.

    Parameters
    ----------
    name : str
    epochs : int
        At most.
    clock : callable
        Monotonic seconds.
    """

    name: str
    epochs: int
    clock: Callable[[], float]
    epoch: int = 0
    share: float = 0.0
    report: EpochReport | None = None
    _first: tuple[float, float] | None = None

    @property
    def passes(self) -> float:
        """Epochs that are done, the one under way in part."""
        return self.epoch + self.share

    def reaches(self, epoch: int, share: float) -> None:
        """Hear how much of which epoch was shown."""
        self.epoch, self.share = epoch, share
        if self._first is None:
            self._first = self.clock(), self.passes

    @property
    def left_s(self) -> float | None:
        """Seconds until its last epoch, if it needs them all; None until its speed is known."""
        if self._first is None or self.passes <= self._first[1]:
            return None
        speed = (self.clock() - self._first[0]) / (self.passes - self._first[1])
        return (self.epochs - self.passes) * speed

    @property
    def words(self) -> str:
        """Epoch, losses, AUC of the stopping patients, learning rate, time left at most."""
        words = [f"epoch {min(self.epoch + 1, self.epochs)}/{self.epochs}"]
        if self.report is not None:
            auc = "" if self.report.stop_auc is None else f", AUC {self.report.stop_auc:.2f}"
            words.append(f"loss {self.report.loss:.3f}, stop {self.report.stop_loss:.3f}{auc}")
            words.append(f"lr {self.report.learning_rate:.1e}")
        if self.left_s is not None:
            words.append(f"at most {words_of(round(self.left_s))} left")
        return ", ".join(words)


class TrainingProgress(Bars):
    """Shows a run while it is open (``training.stages.Watcher``).

    Parameters
    ----------
    epochs : int or callable
        Of a fold, at most; or what tells it of a network, named as behind the slash in the name of its fold.
    as_json, clock
        As of ``Bars``.
    """

    def __init__(
        self, *, epochs: int | Callable[[str], int], as_json: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(as_json=as_json, clock=clock, eta=True)
        self._epochs_of = epochs if callable(epochs) else lambda network: epochs
        self._stage, self._n_done, self._n_total = "", 0, 0
        self._stage_bar: TaskID | None = None
        self._folds: dict[str, FoldTrack] = {}
        self._fold_bars: dict[str, TaskID] = {}

    def stage(self, name: str, n_total: int) -> None:
        """Begin a stage."""
        self._stage, self._n_done, self._n_total = name, 0, n_total
        if self.drawn is None:
            output.say(f"{name}: {n_total}" if n_total > 1 else name)
            return
        if self._stage_bar is not None:
            self.drawn.remove_task(self._stage_bar)
        self._stage_bar = self.drawn.add_task(name, total=n_total, words="")

    def finished(self, what: str) -> None:
        """Count one more of the stage."""
        self._n_done += 1
        words = f"{self._n_done}/{self._n_total}"
        if self.drawn is not None and self._stage_bar is not None:
            self.drawn.update(self._stage_bar, completed=self._n_done, words=words)
        else:
            self.line(f"{self._stage}: {words}")

    def notice(self, words: str) -> None:
        """Say something above the bars."""
        if self.drawn is not None:
            self.drawn.console.print(words, markup=False, highlight=False)
        else:
            output.say(words)

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        """Show how much of an epoch was shown."""
        self._track(fold).reaches(epoch, n_windows / n_total)
        self._show(fold)

    def epoch(self, fold: str, report: EpochReport) -> None:
        """Show what an epoch brought."""
        self._track(fold).report = report
        self._show(fold)

    def done(self, fold: str) -> None:
        """Show a fold no longer."""
        self._folds.pop(fold, None)
        bar = self._fold_bars.pop(fold, None)
        if self.drawn is not None and bar is not None:
            self.drawn.remove_task(bar)
        self.finished(fold)

    def _track(self, fold: str) -> FoldTrack:
        epochs = self._epochs_of(fold.rpartition("/")[2])
        return self._folds.setdefault(fold, FoldTrack(fold, epochs, self.clock))

    def _show(self, fold: str) -> None:
        track = self._folds[fold]
        if self.drawn is None:
            self.line(f"{fold}: {track.words}")
            return
        if fold not in self._fold_bars:
            self._fold_bars[fold] = self.drawn.add_task(fold, total=track.epochs, words="")
        self.drawn.update(self._fold_bars[fold], completed=track.passes, words=track.words)
