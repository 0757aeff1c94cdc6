"""Training learns what is there, counts patients, and refuses to judge itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from acquisition.simulator import Patient
from training.fit import SILENT, FitSpec, _with_bad_channels, fit, patient_loss, window_logits
from training.synthesis import Session
from training.tokens import FLOOR


def sessions(n: int, first_seed: int, shift: float) -> list[Session]:
    """Return patients of random tokens; those of a good outcome have one token shifted."""
    made = []
    for seed in range(first_seed, first_seed + n):
        patient = Patient.draw(seed)
        tokens = np.random.default_rng(seed).standard_normal((3, 20, 8)).astype(np.float32)
        tokens[:, :, 3] += shift * patient.good
        made.append(Session(patient, tokens, np.ones(3), 3))
    return made


SPEC = FitSpec(seed=1, epochs=8, patience=8, batch=16, learning_rate=2e-3)


def test_what_is_there_is_learned_and_the_best_epoch_is_kept():
    """The network that is returned has the lowest loss of the stopping patients."""
    train, stop = sessions(40, 0, 2.0), sessions(20, 1000, 2.0)
    fitted = fit(train, stop, SPEC)
    assert min(fitted.losses) == fitted.losses[fitted.best_epoch] < 0.3
    assert patient_loss(fitted.net, stop) == pytest.approx(min(fitted.losses), abs=1e-6)
    z = [window_logits(fitted.net, s)[0].mean() for s in stop]
    assert np.corrcoef(z, [s.patient.good for s in stop])[0, 1] > 0.9


def test_where_nothing_is_there_training_stops_early():
    """Chance does not get better; patience ends."""
    fitted = fit(sessions(30, 0, 0.0), sessions(20, 1000, 0.0), replace(SPEC, epochs=30, patience=2))
    assert len(fitted.losses) < 30
    assert len(fitted.losses) == fitted.best_epoch + 3


def test_the_same_seed_gives_the_same_weights():
    """Bit for bit, on one machine."""
    made = [fit(sessions(10, 0, 1.0), sessions(6, 1000, 1.0), replace(SPEC, epochs=2)) for _ in range(2)]
    one, two = (torch.cat([p.flatten() for p in f.net.parameters()]) for f in made)
    assert torch.equal(one, two)


def test_a_patient_in_both_sets_is_refused():
    """The patient is the unit (law 9)."""
    with pytest.raises(ValueError, match=r"patients \[3, 4\] are in both sets"):
        fit(sessions(5, 0, 0.0), sessions(5, 3, 0.0), SPEC)


def test_a_patient_counts_once_however_many_windows_it_has():
    """The loss of a patient with its windows thrice is the same."""
    stop = sessions(6, 1000, 1.0)
    tripled = [replace(s, tokens=np.repeat(s.tokens, 3, axis=0), weights=np.repeat(s.weights, 3)) for s in stop]
    net = fit(sessions(10, 0, 1.0), stop, replace(SPEC, epochs=1)).net
    assert patient_loss(net, stop) == pytest.approx(patient_loss(net, tripled), abs=1e-6)


def test_bad_channels_are_shown_as_the_gate_leaves_them():
    """All bands of a channel at once are the floor's logarithm; the others keep their values."""
    torch.manual_seed(0)
    x = torch.randn(50, 20, 8)
    shown = _with_bad_channels(x, 0.3)
    silent = (shown == np.float32(SILENT)).all(dim=1)
    assert torch.equal(silent[:, :4].all(dim=1), silent[:, :4].any(dim=1))
    assert 0.15 < silent.float().mean() < 0.45
    assert torch.equal(shown[~silent.unsqueeze(1).expand_as(x)], x[~silent.unsqueeze(1).expand_as(x)])
    assert np.isclose(SILENT, np.log(FLOOR))
