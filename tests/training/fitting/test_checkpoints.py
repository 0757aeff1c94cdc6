"""Checkpoints: whole or not there, and read without running anything."""

from __future__ import annotations

import pickle

import pytest
import torch

from tests.training.patients import patients
from training.errors import RunError
from training.fitting.checkpoints import (
    BEST,
    LAST,
    Keeper,
    read_checkpoint,
    read_network,
    write_checkpoint,
    write_network,
)
from training.fitting.judging import window_scores
from training.fitting.windows import network_for
from training.models.networks import NetworkSpec

SPECS = {
    "bands": NetworkSpec(widths=(8, 4), heads=("fma", "ordinal")),
    "last": NetworkSpec(widths=(8, 4), readout="last"),
    "bank": NetworkSpec(widths=(8, 4), learn_bank=True),
    "raw": NetworkSpec(kind="raw", readout="last", widths=(8, 4), heads=("fma",)),
}


@pytest.mark.parametrize("kind", SPECS)
def test_a_network_comes_back_as_it_was(tmp_path, kind):
    """The same class, the same answers to the bit, and what was noted with it; the generator does not move."""
    someone = patients(3, 0, raw=True)
    net = network_for(someone, SPECS[kind])
    write_network(tmp_path / BEST, net, SPECS[kind], {"best_epoch": 3})
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    found, spec, facts = read_network(tmp_path / BEST)
    assert torch.equal(torch.rand(1), expected)
    assert (type(found), spec, facts) == (type(net), SPECS[kind], {"best_epoch": 3})
    one, two = window_scores(net, someone[0]), window_scores(found, someone[0])
    assert one.logits.tobytes() == two.logits.tobytes()
    assert {name: value.tobytes() for name, value in one.beside.items()} == {
        name: value.tobytes() for name, value in two.beside.items()
    }


def test_there_is_no_state_at_the_beginning(tmp_path):
    """Not even a folder is needed."""
    assert Keeper(tmp_path / "r0f0").read({"settings": 1}) is None


def test_a_state_comes_back_as_it_was(tmp_path):
    """Tensors, numbers, words and lists."""
    keeper = Keeper(tmp_path)
    keeper.write({"a": 1}, {"x": torch.arange(3), "pass": None, "reports": [(1, 0.5)]})
    state = keeper.read({"a": 1})
    assert state is not None
    assert state["x"].tolist() == [0, 1, 2]
    assert (state["pass"], state["reports"]) == (None, [(1, 0.5)])


@pytest.mark.parametrize(
    "content",
    [b"", b"no checkpoint", b"PK\x03\x04 torn", b"torn", b"J\x00", pickle.dumps({"schema": "x"}), pickle.dumps(print)],
    ids=["empty", "text", "torn", "stack", "short", "pickle", "code"],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path, content):
    """It is named, and what to do; nothing in it is run."""
    (tmp_path / LAST).write_bytes(content)
    with pytest.raises(RunError, match=rf"Checkpoint .*{LAST} (cannot be read|is no flexion).*Delete it"):
        Keeper(tmp_path).read({})


def test_a_torn_checkpoint_is_refused(tmp_path):
    """Whatever is missing at its end."""
    write_checkpoint(tmp_path / LAST, {"x": torch.zeros(1000)})
    whole = (tmp_path / LAST).read_bytes()
    for kept in (len(whole) // 2, len(whole) - 30):
        (tmp_path / LAST).write_bytes(whole[:kept])
        with pytest.raises(RunError, match="cannot be read"):
            read_checkpoint(tmp_path / LAST)


def test_a_missing_checkpoint_is_refused(tmp_path):
    """Whoever wants a network is told where it should be."""
    with pytest.raises(RunError, match=r"best\.pt cannot be read \(FileNotFoundError\)"):
        read_network(tmp_path / BEST)


def test_the_state_of_a_fit_is_no_network(tmp_path):
    """The two files are not taken for each other."""
    write_checkpoint(tmp_path / LAST, {"about": {}})
    with pytest.raises(RunError, match="holds the state of a fit, not a network"):
        read_network(tmp_path / LAST)


def test_a_state_is_due_after_some_minutes(tmp_path):
    """Counted from when it was last kept."""
    now = [0.0]
    keeper = Keeper(tmp_path, clock=lambda: now[0])
    now[0] = 299.0
    assert not keeper.due
    now[0] = 300.0
    assert keeper.due
    keeper.write({}, {})
    assert not keeper.due
