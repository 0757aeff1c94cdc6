"""Folds in processes: signals stop them once, errors come through, nothing outlives the one that began them."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from multiprocessing import active_children

import pytest

from tests.training.patients import patients
from training.errors import Interrupted, TrainingError
from training.fitting.checkpoints import LAST
from training.fitting.epochs import EpochReport
from training.fitting.memory import MemoryPeak, anonymous_mb, together_mb
from training.fold import FoldTask, fit_spec, run_fold
from training.pool import run_folds, stopping
from training.runs.config import load_config
from training.splitting.splits import Fold

CONFIG = load_config(None, "bands", {"model.widths": (8, 4), "model.heads": (), "fit.epochs": 2})
WINDOWS = {p.patient: p for p in patients(12, 0, 1.0)}
NAMES = sorted(WINDOWS)


def task(tmp_path, name: str, first: int = 0, **changed) -> FoldTask:
    """Return a fold of the twelve patients."""
    ids = NAMES[first:] + NAMES[:first]
    fold = Fold(name, 0, first, tuple(ids[:6]), tuple(ids[6:9]), tuple(ids[9:]))
    made = FoldTask.of(fold, CONFIG, tmp_path / name)
    return replace(made, spec=replace(made.spec, **changed))


class Hears:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, int]] = []

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        self.told.append(("shown", fold, n_windows))

    def epoch(self, fold: str, report: EpochReport) -> None:
        self.told.append(("epoch", fold, report.epoch))

    def done(self, fold: str) -> None:
        self.told.append(("done", fold, 0))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("workers", [1, 2])
def test_folds_say_the_same_in_one_process_and_in_two(tmp_path, workers):
    """In the order of the tasks; every epoch is told before its fold is done."""
    hears = Hears()
    results = run_folds([task(tmp_path, "r0f0"), task(tmp_path, "r0f1", 3)], WINDOWS, workers, hears)
    assert list(results) == ["r0f0", "r0f1"]
    for name, first in (("r0f0", 0), ("r0f1", 3)):
        here = run_fold(task(tmp_path / "again", name, first), WINDOWS)
        assert results[name].predictions == here
        assert [told for told in hears.told if told[1] == name and told[0] != "shown"] == [
            ("epoch", name, 0), ("epoch", name, 1), ("done", name, 0),
        ]  # fmt: skip


@pytest.mark.timeout(240)
def test_an_error_of_one_fold_ends_all(tmp_path):
    """It comes through as it is; the other fold keeps its state and does not run to its end."""
    bad = task(tmp_path, "bad")
    bad = replace(bad, fold=replace(bad.fold, test=bad.fold.stop))
    long = task(tmp_path, "long", epochs=10_000, patience=10_000)
    with pytest.raises(TrainingError, match="are in both stop and test"):
        run_folds([bad, long], WINDOWS, 2, Hears())
    assert (long.folder / LAST).exists() and not long.done


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_ctrl_c_in_the_first_seconds_stops_two_processes_with_their_state_kept(tmp_path):
    """The terminal sends it to them too, while they are still importing: it is not taken for one that was killed."""

    def strike() -> None:
        while len(began := active_children()) < 2:
            time.sleep(0.01)
        for pid in (os.getpid(), *(child.pid for child in began)):
            os.kill(pid, signal.SIGINT)

    tasks = [task(tmp_path, name, epochs=10_000, patience=10_000) for name in ("r0f0", "r0f1")]
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    terminal = threading.Thread(target=strike)
    terminal.start()
    try:
        with pytest.raises(Interrupted, match="Training was stopped in epoch 2"):
            run_folds(tasks, WINDOWS, 2, Hears())
    finally:
        signal.signal(signal.SIGINT, ours)
        terminal.join()
    assert all((fold.folder / LAST).exists() and not fold.done for fold in tasks)


def test_every_fold_has_a_seed_of_its_own(tmp_path):
    """From the run's and its name, so that it does not depend on which folds there are."""
    seeds = [task(tmp_path, name).spec.seed for name in ("r0f0", "r0f1", "final")]
    assert len(set(seeds)) == 3
    assert seeds[0] == task(tmp_path / "else", "r0f0").spec.seed


def test_the_settings_reach_the_fit():
    """By their names, all of them."""
    flags = {"fit.warm_start": 2, "model.widths": (8,), "fit.patience": 3, "run.seed": 9, "model.heads": ("fma",)}
    spec = fit_spec(load_config(None, "raw", flags))
    assert (spec.warm_start, spec.patience, spec.seed) == (2, 3, 9)
    assert (spec.network.kind, spec.network.readout, spec.network.widths) == ("raw", "last", (8,))
    assert (spec.network.heads, spec.schedule, spec.weight_decay, spec.batch) == (("fma",), "plateau", 0.0, 32)


def test_the_first_signal_stops_and_the_second_is_as_usual():
    """Who presses Ctrl-C twice does not want to wait."""
    stops: list[int] = []
    # Whoever runs the tests in the background has them ignore Ctrl-C.
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), stopping(lambda: stops.append(1)):
        os.kill(os.getpid(), signal.SIGINT)
        assert stops == [1]
        os.kill(os.getpid(), signal.SIGINT)
    assert stops == [1]
    assert signal.getsignal(signal.SIGINT) is before
    signal.signal(signal.SIGINT, ours)


def test_a_thread_leaves_signals_alone():
    """Only the main thread may set handlers."""
    found = []

    def within() -> None:
        with stopping(lambda: None):
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=within)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]


def test_memory_is_watched_while_it_is_open(tmp_path):
    """At least what there is at the beginning; none where the system does not tell."""
    with MemoryPeak() as peak:
        pass
    assert peak.mb > 1
    assert anonymous_mb(tmp_path / "status") == 0.0
    (tmp_path / "status").write_text("VmRSS: 10 kB\n")
    assert anonymous_mb(tmp_path / "status") == 0.0


def test_memory_of_a_pool_is_that_of_its_largest_processes_and_of_who_began_them():
    """One fold alone is trained by the latter; nothing is said where nothing was trained or measured."""
    assert together_mb([300.0], 2) == together_mb([300.0, 200.0], 1) == 300.0
    assert 501.0 < together_mb([100.0, 200.0, 300.0], 2) < 10_000.0
    assert together_mb([], 2) is None is together_mb([0.0], 1)
