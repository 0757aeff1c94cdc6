"""Networks read what they are made for, and keep the names by which their weights are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.simulator import GOOD_ABOVE_FMA
from training.data.tokens import BankSpec, log_powers, tokens
from training.models.heads import CUTS_FMA, FmaHead, FmaScale, Heads, OrdinalHead
from training.models.networks import BandLstm, Bank, BankLstm, NetworkSpec, RawLstm, Scale, build

ONE = Scale(np.zeros(64, np.float32), np.ones(64, np.float32))
#: The names under which the weights of checkpoints and graphs are found.
NAMES = {f"layers.{i}.{kind}_{of}_l0" for i in range(3) for kind in ("weight", "bias") for of in ("ih", "hh")} | {
    "head.weight",
    "head.bias",
}


@pytest.fixture(scope="module")
def samples() -> torch.Tensor:
    """Return two windows of noise."""
    return torch.randn(2, 10_000, 16, generator=torch.Generator().manual_seed(0))


def test_weights_are_known_by_their_names():
    """Export and checkpoints find them there; the raw network has no scale."""
    assert set(BandLstm(ONE).state_dict()) == NAMES | {"mean", "inverse_sd"}
    assert set(RawLstm(16).state_dict()) == NAMES
    assert set(BankLstm(ONE).state_dict()) == NAMES | {"mean", "inverse_sd", "bank.kernels", "bank.sums"}


@pytest.mark.parametrize("net", [BandLstm(ONE), RawLstm(64)], ids=["bands", "raw"])
def test_a_window_gives_a_logit_and_an_embedding(net):
    """Of the widths of the paper."""
    logit, embedding = net.eval()(torch.zeros(3, 7, 64))
    assert (logit.shape, embedding.shape) == ((3,), (3, 32))


def test_bands_read_the_mean_and_raw_the_last_state():
    """As the paper's last state does not see the start, the mean does."""
    x = torch.zeros(1, 50, 64)
    loud = x.clone()
    loud[:, 0] = 3.0
    torch.manual_seed(0)
    change = {
        readout: (net(loud)[1] - net(x)[1]).abs().max().item()
        for readout, net in (("mean", BandLstm(ONE).eval()), ("last", BandLstm(ONE, readout="last").eval()))
    }
    assert change["mean"] > 10 * change["last"]
    assert RawLstm(16).readout == "last"
    assert BandLstm(ONE).readout == "mean"


def test_an_electrode_that_fell_off_does_not_shout():
    """Standardised tokens are held within four deviations."""
    net = BandLstm(ONE).eval()
    assert torch.equal(net(torch.full((1, 5, 64), 4.0))[0], net(torch.full((1, 5, 64), 1e6))[0])


def test_the_bank_begins_as_the_fixed_one(samples):
    """Its tokens are training's own to 1e-5, so that learning starts from them."""
    with torch.no_grad():
        found = Bank(BankSpec())(samples).numpy()
    np.testing.assert_allclose(found, tokens(samples.numpy()), atol=1e-5, rtol=0)


def test_a_bank_that_learns_reads_samples_as_the_fixed_one_reads_tokens(samples):
    """The network behind it is the same."""
    torch.manual_seed(0)
    learning = BankLstm(Scale.of(tokens(samples.numpy()))).eval()
    fixed = BandLstm(Scale.of(tokens(samples.numpy()))).eval()
    fixed.load_state_dict({name: value for name, value in learning.state_dict().items() if "bank" not in name})
    with torch.no_grad():
        expected = fixed(torch.from_numpy(log_powers(samples.numpy())).float())[0]
        np.testing.assert_allclose(learning(samples)[0], expected, atol=1e-5)
    learning(samples)[0].sum().backward()
    assert learning.bank.kernels.grad is not None and learning.bank.kernels.grad.abs().max() > 0


def test_what_is_built_is_what_was_asked_for():
    """Every setting reaches the network."""
    spec = NetworkSpec(kind="raw", readout="mean", widths=(8, 4), dropout=0.1, heads=("ordinal",))
    net = build(spec, 16, heads=Heads(ordinal=True))
    assert isinstance(net, RawLstm)
    assert (net.readout, net.dropout.p, net.head.in_features, net.fma) == ("mean", 0.1, 4, None)
    assert net.ordinal is not None


def test_the_middle_cut_is_the_good_outcome():
    """The ordinal head's second step and the logit are about the same."""
    assert CUTS_FMA[1] == GOOD_ABOVE_FMA


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3), st.floats(-1e3, 1e3, width=32))
def test_a_higher_step_is_never_the_likelier_one(learned, score):
    """Whatever is learned, log-odds fall from cut to cut."""
    head = OrdinalHead(1)
    with torch.no_grad():
        head.linear.weight.fill_(1.0)
        head.first.fill_(learned[0])
        head.gaps.copy_(torch.tensor(learned[1:]))
        odds = head(torch.tensor([[score]]))[0]
    assert (odds.diff() <= 0).all()


def test_the_steps_cost_what_logistic_regression_costs():
    """The mean cross-entropy over the cuts."""
    head = OrdinalHead(1)
    odds = torch.tensor([[2.0, 0.0, -1.0]])
    cost = head.losses(odds, torch.tensor([17.0]))
    p = torch.sigmoid(odds[0])
    assert float(cost) == pytest.approx(float(-(p[0].log() + (1 - p[1]).log() + (1 - p[2]).log()) / 3))


def test_points_are_told_in_points_and_missed_in_deviations():
    """The scale is part of the head."""
    head = FmaHead(2, FmaScale.of([10.0, 20.0, 30.0]))
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.fill_(1.0)
        points = head(torch.zeros(1, 2))
    sd = float(np.std([10, 20, 30]))
    assert float(points) == pytest.approx(20 + sd)
    assert float(head.losses(points, torch.tensor([20.0]))) == pytest.approx(1.0)


def test_patients_who_are_all_alike_make_no_error_infinite():
    """Their deviation is a point."""
    assert FmaScale.of([12.0, 12.0]) == FmaScale(12.0, 1.0)
