"""The gate refuses a network that moves when nothing did, and lets the others through."""

from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from training.bundles.gate import LARGEST_GAIN, NOISE, Sensitivity, pass_gate, sensitivity
from training.errors import GateError
from training.models.networks import BandLstm, RawLstm


def raw_net(recurrent: float = 1.0, forget_bias: float = 0.0) -> RawLstm:
    """Return an untrained network whose recurrent weights and forget biases were changed."""
    torch.manual_seed(1)
    net = RawLstm(4, widths=(64, 32, 16)).eval()
    with torch.no_grad():
        net.head.weight *= 10
        for layer in cast("list[nn.LSTM]", net.layers):
            layer.weight_hh_l0 *= recurrent
            layer.bias_ih_l0[layer.hidden_size : 2 * layer.hidden_size] += forget_bias
    return net


def windows(n_samples: int = 600) -> np.ndarray:
    """Return three windows of noise."""
    return np.random.default_rng(0).standard_normal((3, n_samples, 4))


@pytest.mark.parametrize("net", [raw_net(), raw_net(forget_bias=2.0)], ids=["forgetful", "of long memory"])
def test_a_healthy_network_passes(net):
    """Long memory is no chaos."""
    found = pass_gate(net, windows(), "lstm-raw")
    assert found.n_windows == 3
    assert 0 < found.gain < LARGEST_GAIN / 10


def test_a_network_on_tokens_is_asked_from_its_samples_on(net: BandLstm, x):
    """Noise on the window, through the bank: a bank could be what amplifies."""
    assert 0 < pass_gate(net, x, "lstm-bands").gain < LARGEST_GAIN


@pytest.mark.parametrize("net", [raw_net(recurrent=8.0), raw_net(recurrent=6.0, forget_bias=2.0)])
def test_a_chaotic_network_is_refused(net):
    """A millionth of a millionth becomes another logit: the refusal says by how much, and what to do."""
    with pytest.raises(GateError, match=r"The logit of chaos moves by .* when its windows move by 1e-12") as caught:
        pass_gate(net, windows(), "chaos")
    assert caught.value.remedy.startswith("Train it anew")
    assert sensitivity(net, windows()).movement > 1e-3


def test_memory_that_is_too_long_shows_in_long_windows_alone():
    """Why the gate takes whole windows: a short one has no time to diverge."""
    net = raw_net(recurrent=6.0, forget_bias=2.0)
    assert sensitivity(net, windows(20)).gain < sensitivity(net, windows(600)).gain / 1e3


def test_a_network_without_numbers_is_refused():
    """NaN is no small movement."""
    net = raw_net()
    net.head.bias.data[:] = float("nan")
    with pytest.raises(GateError, match="moves by nan"):
        pass_gate(net, windows(20), "broken")


def test_a_gain_is_a_movement_by_a_noise():
    """Figures on the card."""
    assert Sensitivity(5e-12, NOISE, 8).gain == 5.0
