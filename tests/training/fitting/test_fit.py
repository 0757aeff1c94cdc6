"""Training learns what is there, counts patients, and goes on bit for bit where it was stopped."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch

from acquisition.errors import BadEnvironment
from tests.training.patients import patients
from training.errors import Interrupted, RunError, TrainingError
from training.fitting.checkpoints import BEST, LAST, Keeper, read_network
from training.fitting.epochs import EpochReport
from training.fitting.fit import Fitted, fit
from training.fitting.judging import patient_logits, patient_losses, window_logits, window_scores
from training.fitting.windows import FitSpec, about_of, network_for
from training.models.heads import FmaScale
from training.models.networks import BandLstm, BankLstm, NetworkSpec, RawLstm

SPEC = FitSpec(seed=1, epochs=8, patience=8, batch=16, learning_rate=2e-3)
SMALL = NetworkSpec(widths=(8, 4))
RAW = NetworkSpec(kind="raw", readout="last", widths=(6, 4))
#: Fits that a checkpoint must be able to go on with: what they read, their heads and their schedules differ.
KINDS = {
    "bands": replace(SPEC, network=SMALL),
    "heads": replace(SPEC, network=replace(SMALL, heads=("fma", "ordinal")), schedule="plateau", patience=20),
    "raw": replace(SPEC, network=RAW, warm_start=2, schedule="plateau", channel_dropout=0.1),
    "bank": replace(SPEC, network=replace(SMALL, learn_bank=True)),
}


def weights(fitted: Fitted) -> bytes:
    """Return all parameters of a network as bytes."""
    return b"".join(value.numpy().tobytes() for value in fitted.net.state_dict().values())


def patient_loss(net, of):
    """Return the mean cross-entropy of patients."""
    return patient_losses(patient_logits(net, of), [p.good for p in of]).mean()


class StopsAt:
    """Says no so many times, then yes."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_what_is_there_is_learned_and_the_best_epoch_is_kept():
    """The network that is returned has the lowest loss of the stopping patients."""
    train, stop = patients(40, 0, 2.0), patients(20, 1000, 2.0)
    fitted = fit(train, stop, replace(KINDS["bands"], learning_rate=2e-2))
    assert min(fitted.losses) == fitted.losses[fitted.best_epoch] < 0.3
    assert patient_loss(fitted.net, stop) == pytest.approx(min(fitted.losses), abs=1e-6)
    z = [window_logits(fitted.net, p)[0].mean() for p in stop]
    assert np.corrcoef(z, [p.good for p in stop])[0, 1] > 0.9


def test_what_is_no_better_is_not_kept():
    """A fit that learns nothing keeps the untrained network, not the last that was as good."""
    still = replace(KINDS["bands"], learning_rate=0.0, epochs=9, patience=2)
    fitted = fit(patients(6, 0), patients(4, 1000), still)
    assert (len(set(fitted.losses)), len(fitted.losses), fitted.best_epoch) == (1, 2, -1)


def test_where_nothing_is_there_training_stops_early():
    """Chance does not get better; patience ends."""
    fitted = fit(patients(30, 0), patients(20, 1000), replace(KINDS["bands"], epochs=30, patience=2))
    assert len(fitted.losses) < 30
    assert len(fitted.losses) == fitted.best_epoch + 3


def test_raw_samples_can_be_learned_from():
    """The last state of a network that reads samples tells what its last samples had."""
    spec = replace(SPEC, epochs=6, network=RAW, learning_rate=2e-2)
    fitted = fit(patients(24, 0, 3.0, raw=True), patients(12, 1000, 3.0, raw=True), spec)
    assert min(fitted.losses) < 0.4


@pytest.mark.parametrize("kind", ["bands", "heads"])
def test_the_same_seed_gives_the_same_weights(kind):
    """Bit for bit, on one machine, whatever the caller's generator has drawn before."""
    made = []
    for seed in (3, 4):
        torch.manual_seed(seed)
        made.append(weights(fit(patients(10, 0, 1.0), patients(6, 1000, 1.0), replace(KINDS[kind], epochs=2))))
    assert made[0] == made[1]


def test_the_caller_s_generator_and_settings_are_left_alone():
    """A fit draws from a generator of its own."""
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(patients(4, 0), patients(4, 1000), replace(KINDS["bands"], epochs=1))
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("n_steps", [0, 5, 11])
@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_that_was_stopped_ends_with_the_same_bits(tmp_path, kind, n_steps):
    """Stopped within an epoch or between two, then gone on with: as if it had run through; 6 epochs."""
    spec = replace(KINDS[kind], epochs=6, batch=8)
    train, stop = patients(10, 0, 1.0, raw=True), patients(6, 1000, 1.0, raw=True)
    through = fit(train, stop, spec)
    with pytest.raises(Interrupted, match=r"stopped in epoch \d"):
        fit(train, stop, spec, keeper=Keeper(tmp_path, StopsAt(n_steps)))
    gone_on = fit(train, stop, spec, keeper=Keeper(tmp_path))
    assert weights(gone_on) == weights(through)
    assert gone_on.losses == through.losses
    assert [r.loss for r in gone_on.reports] == [r.loss for r in through.reports]
    again = fit(train, stop, spec, keeper=Keeper(tmp_path))
    assert weights(again) == weights(through)


KILLED = """
import sys
from pathlib import Path
from tests.training.patients import patients
from tests.training.fitting.test_fit import KINDS
from dataclasses import replace
from training.fitting.checkpoints import Keeper
from training.fitting.fit import fit

class Tells:
    def shown(self, epoch, n_windows, n_total):
        print(epoch, n_windows, flush=True)
        if (epoch, n_windows) == (2, 16):
            sys.stdin.read()
    def epoch(self, report):
        pass

spec = replace(KINDS[sys.argv[2]], epochs=6, batch=8)
fit(patients(10, 0, 1.0, raw=True), patients(6, 1000, 1.0, raw=True), spec, keeper=Keeper(Path(sys.argv[1])),
    watcher=Tells())
"""


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["heads", "raw"])
def test_a_fit_that_was_killed_within_an_epoch_ends_with_the_same_bits(tmp_path, kind):
    """SIGKILL in the middle of the third epoch: what was kept after the second is enough."""
    command = [sys.executable, "-c", KILLED, str(tmp_path), kind]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=os.getcwd())
    assert child.stdin and child.stdout
    assert any(line == "2 16\n" for line in child.stdout)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdin.close()
    child.stdout.close()
    spec = replace(KINDS[kind], epochs=6, batch=8)
    train, stop = patients(10, 0, 1.0, raw=True), patients(6, 1000, 1.0, raw=True)
    gone_on = fit(train, stop, spec, keeper=Keeper(tmp_path))
    assert weights(gone_on) == weights(fit(train, stop, spec))


def test_the_state_is_kept_also_within_a_long_epoch(tmp_path, monkeypatch):
    """After some minutes: an epoch of raw samples may take longer than one is ready to lose."""
    keeper = Keeper(tmp_path, clock=count(0.0, 400.0).__next__)
    kept: list[int] = []
    monkeypatch.setattr(keeper, "write", lambda about, state: kept.append(state["pass"] and state["pass"]["steps"]))
    fit(patients(10, 0), patients(4, 1000), replace(KINDS["bands"], epochs=1, batch=4), keeper=keeper)
    assert kept == [1, 2, 3, 4, 5, 6, 7, None]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"spec": replace(KINDS["bands"], epochs=2, learning_rate=1e-3)}, "settings"),
        ({"train": patients(9, 0)}, "training patients and windows"),
        ({"stop": patients(7, 1000)}, "stopping patients and windows"),
        ({"train": [replace(p, weights=p.weights / 2) for p in patients(8, 0)]}, "windows"),
    ],
)
def test_a_checkpoint_of_another_fit_is_refused(tmp_path, changed, named):
    """Other settings, patients or windows; the refusal names them."""
    given = {"train": patients(8, 0), "stop": patients(6, 1000), "spec": replace(KINDS["bands"], epochs=2)}
    fit(**given, keeper=Keeper(tmp_path))
    with pytest.raises(RunError, match=f"{LAST} was made with other {named} than"):
        fit(**(given | changed), keeper=Keeper(tmp_path))


def test_patience_and_schedule_begin_after_the_warm_start():
    """Crops are no trial: with nothing to learn, all of the warm start and then the patience are spent.

    The rate is halved after more than three passes that are no better than the first over whole windows.
    """
    train, stop = patients(6, 0, raw=True), patients(4, 1000, raw=True)
    spec = replace(KINDS["raw"], epochs=20, warm_start=4, patience=2, learning_rate=0.0)
    assert [report.warm for report in fit(train, stop, spec).reports] == [True] * 4 + [False] * 2
    long = replace(spec, epochs=10, patience=20, learning_rate=1e-7)
    rates = [report.learning_rate for report in fit(train, stop, long).reports]
    assert rates == [1e-7] * 9 + [pytest.approx(5e-8)]


def test_only_a_gpu_computes_in_bfloat16():
    """On a CPU the setting changes no bit."""
    spec = replace(KINDS["bands"], epochs=1)
    on, off = (fit(patients(6, 0), patients(4, 1000), replace(spec, amp=amp)) for amp in (True, False))
    assert weights(on) == weights(off)


def test_a_best_network_that_was_deleted_is_written_again(tmp_path):
    """The state of the fit, which goes on from where it was, has it; the last network is another one."""
    train, stop, spec = patients(8, 0), patients(6, 1000), replace(KINDS["bands"], epochs=6, learning_rate=0.5)
    fitted = fit(train, stop, spec, keeper=Keeper(tmp_path))
    assert fitted.best_epoch < 5
    (tmp_path / BEST).unlink()
    fit(train, stop, spec, keeper=Keeper(tmp_path))
    net, _, facts = read_network(tmp_path / BEST)
    assert facts["best_epoch"] == fitted.best_epoch
    assert all(torch.equal(value, fitted.net.state_dict()[name]) for name, value in net.state_dict().items())


def test_a_plateau_lowers_the_rate():
    """After more than three epochs without a better loss it is halved."""
    spec = replace(KINDS["heads"], epochs=14, learning_rate=0.5)
    rates = [r.learning_rate for r in fit(patients(8, 0), patients(6, 1000), spec).reports]
    assert rates[0] == 0.5
    assert min(rates) <= 0.25


@pytest.mark.parametrize(("where", "named"), [("train", "0002"), ("stop", "1002")])
def test_a_loss_that_is_no_number_stops_the_fit(where, named):
    """The refusal names the epoch and the patient, and nobody else."""
    train, stop = patients(6, 0, raw=True), patients(4, 1000, raw=True)
    bad = {"train": train, "stop": stop}[where][2]
    assert bad.x is not None
    bad.x[1, 5, 0] = math.nan
    with pytest.raises(TrainingError, match=rf"The loss of patient {named} is not a finite number in epoch 1\. Lower"):
        fit(train, stop, replace(KINDS["raw"], warm_start=0))


def test_a_gradient_that_is_no_number_stops_the_fit(monkeypatch):
    """A finite loss may have an infinite slope; no step is taken with it."""
    norm = torch.tensor(math.inf)
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: norm)
    with pytest.raises(TrainingError, match=r"The gradient of patients 0000.* in epoch 1"):
        fit(patients(4, 0), patients(4, 1000), KINDS["bands"])


def test_a_patient_counts_once_however_many_windows_it_has():
    """The loss of a patient with its windows thrice is the same."""
    stop = patients(6, 1000, 1.0)
    tripled = [
        replace(p, tokens=np.repeat(p.tokens, 3, axis=0), weights=np.repeat(p.weights, 3), index=np.arange(9))
        for p in stop
    ]
    net = fit(patients(10, 0, 1.0), stop, replace(KINDS["bands"], epochs=1)).net
    assert patient_loss(net, stop) == pytest.approx(patient_loss(net, tripled), abs=1e-6)


def test_the_heads_learn_the_score():
    """Points and steps follow a score that shows; steps that are higher are never likelier."""
    spec = replace(KINDS["heads"], epochs=12, learning_rate=1e-2, network=replace(SMALL, heads=("fma", "ordinal")))
    fitted = fit(patients(60, 0, 3.0), patients(20, 1000, 3.0), spec)
    test = patients(20, 2000, 3.0)
    scores = [window_scores(fitted.net, p) for p in test]
    points = [s.beside["fma"].mean() for s in scores]
    assert np.corrcoef(points, [p.fma for p in test])[0, 1] > 0.6
    assert all((np.diff(s.beside["ordinal"], axis=1) < 0).all() for s in scores)
    above = [s.beside["ordinal"][:, 1].mean() > 0 for s in scores]
    assert np.mean(np.equal(above, [p.good for p in test])) > 0.8


def test_heads_need_scores():
    """Without a single one the refusal says which heads, and what to do."""
    blind = [replace(p, fma=None) for p in patients(6, 0)]
    with pytest.raises(TrainingError, match="Heads fma, ordinal learn from FMA scores"):
        fit(blind, patients(4, 1000), KINDS["heads"])


def test_patients_without_a_score_teach_the_logit_alone():
    """Their windows bring no points, and break nothing."""
    train = [replace(p, fma=None) if i % 2 else p for i, p in enumerate(patients(12, 0))]
    fitted = fit(train, patients(6, 1000), replace(KINDS["heads"], epochs=2))
    assert np.isfinite(fitted.losses).all()
    assert fitted.net.fma is not None
    known = FmaScale.of([p.fma for p in train if p.fma is not None])
    assert fitted.net.fma.get_buffer("mean") == pytest.approx(known.mean)


def test_a_watcher_hears_every_epoch_also_those_before_a_resume(tmp_path):
    """With losses, AUC, rate, windows and time; the waiting is part of the time."""

    class Hears:
        def __init__(self) -> None:
            self.reports: list[EpochReport] = []
            self.shows: list[tuple[int, int, int]] = []

        def shown(self, epoch: int, n_windows: int, n_total: int) -> None:
            self.shows.append((epoch, n_windows, n_total))

        def epoch(self, report: EpochReport) -> None:
            self.reports.append(report)

    spec, hears, again = replace(KINDS["bands"], epochs=2), Hears(), Hears()
    fitted = fit(patients(8, 0), patients(6, 1000), spec, keeper=Keeper(tmp_path), watcher=hears)
    fit(patients(8, 0), patients(6, 1000), spec, keeper=Keeper(tmp_path), watcher=again)
    assert hears.shows == [(0, 16, 24), (0, 24, 24), (1, 16, 24), (1, 24, 24)]
    assert hears.reports == again.reports == list(fitted.reports)
    assert again.shows == []
    for report in hears.reports:
        assert 0 <= report.waiting_s <= report.seconds
        assert report.stop_auc is not None and 0 <= report.stop_auc <= 1


def test_stopping_patients_of_one_outcome_have_no_auc():
    """Their loss is still a loss."""
    stop = [replace(p, good=True) for p in patients(4, 1000)]
    assert fit(patients(6, 0), stop, replace(KINDS["bands"], epochs=1)).reports[0].stop_auc is None


def test_a_fit_is_known_by_its_settings_patients_and_windows():
    """What a checkpoint is compared with holds no path and no time."""
    about = about_of(patients(3, 0), patients(2, 1000), SPEC)
    assert about["training patients"] == ["0000", "0001", "0002"]
    assert about == about_of(patients(3, 0), patients(2, 1000), replace(SPEC))


@pytest.mark.parametrize(
    ("spec", "kind"), [(SMALL, BandLstm), (replace(SMALL, learn_bank=True), BankLstm), (RAW, RawLstm)]
)
def test_the_network_is_the_one_that_was_asked_for(spec, kind):
    """By what it reads, and of the widths that were given."""
    net = network_for(patients(3, 0), spec)
    assert type(net) is kind
    assert net.head.in_features == 4


def test_the_folder_of_a_keeper_is_made(tmp_path: Path):
    """Whatever of the path is missing; in words where it cannot be."""
    assert Keeper(tmp_path / "a" / "b").folder.is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(BadEnvironment, match="file cannot be made"):
        Keeper(tmp_path / "file")
