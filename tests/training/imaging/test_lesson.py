"""An image network learns what is there, counts patients, and goes on bit for bit where it was stopped."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.training.fitting.test_fit import StopsAt, weights
from tests.training.scans import patient, patients
from training.backbones.augmentation import SliceAugmentation
from training.backbones.backbone import build
from training.backbones.catalogue import ARCHITECTURES, NAMES
from training.backbones.kept import read_backbone
from training.errors import FingerprintMismatch, Interrupted, RunError, TrainingError, WeightsError
from training.fitting.checkpoints import BEST, LAST, Keeper, read_checkpoint
from training.fitting.fit import fit
from training.imaging.judging import patient_logit, slice_logits
from training.imaging.lesson import SliceSpec

SPEC = SliceSpec(seed=1, epochs=2, patience=8, batch=8, learning_rate=1e-3, schedule="plateau", device="cpu")
TRAIN, STOP = patients(6, 0, 2.0), patients(4, 1000, 2.0)


def test_what_is_there_is_learned():
    """The network that is returned has the lowest loss of the stopping patients, by their mean logits."""
    fitted = fit(patients(20, 0, 3.0), patients(8, 1000, 3.0), replace(SPEC, epochs=6))
    assert min(fitted.losses) == fitted.losses[fitted.best_epoch] < 0.5
    stop = patients(8, 1000, 3.0)
    z = [slice_logits(fitted.net, one).mean() for one in stop]
    assert np.corrcoef(z, [one.good for one in stop])[0, 1] > 0.8


def test_a_network_before_its_first_pass_is_never_the_best():
    """Its logits mean nothing, however right they are: a rate of nearly nothing leaves the first pass as the best."""
    fitted = fit(TRAIN, STOP, replace(SPEC, epochs=1, learning_rate=1e-12))
    assert fitted.best_epoch == 0 and math.isfinite(fitted.losses[0])


@pytest.mark.parametrize("n_steps", [0, 1, 3])
def test_a_fit_that_was_stopped_ends_with_the_same_bits(tmp_path, n_steps):
    """Stopped before, within or between passes, then gone on with: weights, statistics, losses as if run through."""
    through = fit(TRAIN, STOP, SPEC)
    with pytest.raises(Interrupted, match=r"stopped in epoch \d"):
        fit(TRAIN, STOP, SPEC, keeper=Keeper(tmp_path, StopsAt(n_steps)))
    gone_on = fit(TRAIN, STOP, SPEC, keeper=Keeper(tmp_path))
    assert weights(gone_on) == weights(through)
    assert gone_on.losses == through.losses
    assert [r.loss for r in gone_on.reports] == [r.loss for r in through.reports]


@pytest.mark.thorough
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backbone", NAMES[1:])
def test_every_backbone_goes_on_with_the_same_bits(tmp_path, backbone):
    """Stopped within the first pass: whatever a network draws is kept."""
    spec = replace(SPEC, backbone=backbone, epochs=1)
    through = fit(TRAIN, STOP, spec)
    with pytest.raises(Interrupted):
        fit(TRAIN, STOP, spec, keeper=Keeper(tmp_path, StopsAt(1)))
    assert weights(fit(TRAIN, STOP, spec, keeper=Keeper(tmp_path))) == weights(through)


KILLED = """
import sys
from pathlib import Path
from tests.training.imaging.test_lesson import SPEC, STOP, TRAIN
from training.fitting.checkpoints import Keeper
from training.fitting.fit import fit

class Tells:
    def shown(self, epoch, n_windows, n_total):
        print(epoch, n_windows, flush=True)
        if (epoch, n_windows) == (1, 6):
            sys.stdin.read()
    def epoch(self, report):
        pass

fit(TRAIN, STOP, SPEC, keeper=Keeper(Path(sys.argv[1])), watcher=Tells())
"""


@pytest.mark.faults
def test_a_fit_that_was_killed_ends_with_the_same_bits(tmp_path):
    """SIGKILL in the middle of the second pass: what was kept after the first is enough."""
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=os.getcwd())
    assert child.stdin and child.stdout
    assert any(line == "1 6\n" for line in child.stdout)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdin.close()
    child.stdout.close()
    assert weights(fit(TRAIN, STOP, SPEC, keeper=Keeper(tmp_path))) == weights(fit(TRAIN, STOP, SPEC))


def test_the_best_network_is_kept_as_whoever_exports_it_reads_it(tmp_path):
    """Which one, from which first weights, in which pass."""
    fitted = fit(TRAIN, STOP, SPEC, keeper=Keeper(tmp_path))
    net, facts = read_backbone(tmp_path / BEST)
    assert (net.name, net.initialised.how) == ("shufflenet", "random")
    assert facts == {"best_epoch": fitted.best_epoch, "stop_loss": min(fitted.losses)}
    kept = net.state_dict()
    assert all(torch.equal(value, kept[name]) for name, value in fitted.net.state_dict().items())


def test_another_fit_does_not_go_on_with_it(tmp_path):
    """Other settings, other patients or other scans are other fits."""
    fit(TRAIN, STOP, SPEC, keeper=Keeper(tmp_path))
    for spec, train in ((replace(SPEC, aggregation="prob_mean"), TRAIN), (SPEC, patients(6, 0, 2.0, n_slices=4))):
        with pytest.raises(RunError, match="was made with other"):
            fit(train, STOP, spec, keeper=Keeper(tmp_path))
    assert set(read_checkpoint(tmp_path / LAST)["about"]) == {
        "settings", "training patients", "stopping patients", "slices",
    }  # fmt: skip


def test_a_fit_from_a_file_goes_on_from_that_file_alone(tmp_path):
    """Its digest belongs to what the fit is; the fits of random weights know of none, so that those begun go on."""
    files = [tmp_path / f"{seed}.pth" for seed in (1, 2)]
    for seed, file in zip((1, 2), files, strict=True):
        torch.save(build(ARCHITECTURES["shufflenet"], 1000, seed).state_dict(), file)
    spec = replace(SPEC, epochs=1, weights=str(tmp_path / "weights.pth"))
    (tmp_path / "weights.pth").write_bytes(files[0].read_bytes())
    with pytest.raises(Interrupted):
        fit(TRAIN, STOP, spec, keeper=Keeper(tmp_path, StopsAt(1)))
    (tmp_path / "weights.pth").write_bytes(files[1].read_bytes())
    with pytest.raises(RunError, match="was made with other first weights than this fit has"):
        fit(TRAIN, STOP, spec, keeper=Keeper(tmp_path))
    (tmp_path / "weights.pth").write_bytes(files[0].read_bytes())
    assert weights(fit(TRAIN, STOP, spec, keeper=Keeper(tmp_path))) == weights(fit(TRAIN, STOP, spec))
    (tmp_path / "weights.pth").unlink()
    with pytest.raises(WeightsError, match="There are no weights at"):
        spec.lesson().about(TRAIN, STOP)
    for known in ("none", "imagenet"):
        assert "first weights" not in replace(SPEC, weights=known).lesson().about(TRAIN, STOP)


def test_batches_are_even_and_patients_count_alike():
    """Nine slices by eight are five and four, not eight and one; who has more slices counts no more."""
    lesson = SPEC.lesson()
    batches = lesson.batches([patient(0, n=7), patient(1, n=2)], np.random.default_rng(0))
    found = list(batches)
    assert sorted(len(batch.y) for batch in found) == [4, 5]
    share, who = (np.concatenate([getattr(batch, key) for batch in found]) for key in ("share", "indices"))
    assert share[who < 7].sum() == pytest.approx(share[who >= 7].sum())


def test_slices_are_changed_as_asked():
    """Without turning, mirroring and light they are shown as they are."""
    x = torch.from_numpy(patient(0).slices).clamp(-1.5, 1.5)
    plain = replace(SPEC, augmentation=SliceAugmentation(0.0, False, 0.0)).lesson()
    assert torch.allclose(plain.shown(x, 0), x, atol=1e-5)
    assert not torch.allclose(SPEC.lesson().shown(x, 0), x, atol=0.1)


def test_several_preparations_do_not_mix():
    """Slices of another field or recipe are another input."""
    with pytest.raises(FingerprintMismatch, match=r"several preparations: .*\(patient 1000\)"):
        SPEC.lesson().check(TRAIN, [replace(STOP[0], fingerprint="f" * 64)])


def test_patients_that_share_a_part_or_an_outcome_are_refused():
    """As with windows; the words are those of slices."""
    with pytest.raises(TrainingError, match="in both train and test"):
        SPEC.lesson().check(TRAIN, STOP, [TRAIN[0].patient])
    with pytest.raises(TrainingError, match="no patient with slices in stop"):
        SPEC.lesson().check(TRAIN, [])


def test_a_patient_s_logit_is_the_mean_or_that_of_the_mean_probability():
    """The paper averages probabilities: a slice that is sure says less."""
    logits = np.array([0.0, 0.0, 6.0])
    assert patient_logit(logits, "logit_mean_quality") == 2.0
    p = np.mean(1 / (1 + np.exp(-logits)))
    assert patient_logit(logits, "prob_mean") == pytest.approx(np.log(p / (1 - p)))


def test_more_slices_than_run_at_once_are_all_judged():
    """In the order in which they lie, whatever the number at once."""
    net = fit(TRAIN, STOP, replace(SPEC, epochs=1)).net
    one = patient(7, n=19)
    logits = slice_logits(net, one)
    part = replace(one, slices=one.slices[16:], index=one.index[16:])
    assert logits.shape == (19,) and np.allclose(logits[16:], slice_logits(net, part), atol=1e-5)
