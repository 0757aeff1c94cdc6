"""The same fit gives the same bits, and leaves torch as it found it."""

from __future__ import annotations

import pytest
import torch

from training.errors import TrainingError
from training.fitting.arithmetic import arithmetic, device_of


@pytest.mark.parametrize("tf32", [False, True])
def test_torch_is_as_before_afterwards_also_after_an_error(tf32):
    """Determinism, rounding and generator hold inside the block alone."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    with pytest.raises(KeyError), arithmetic("cpu", tf32=tf32) as device:
        assert device == torch.device("cpu")
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.get_num_threads() == 1
        assert torch.backends.cuda.matmul.allow_tf32 is torch.backends.cudnn.allow_tf32 is tf32
        torch.rand(5)
        raise KeyError
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory
    assert torch.get_num_threads() == 3
    torch.set_num_threads(threads)
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(("has_gpu", "found"), [(True, "cuda"), (False, "cpu")])
def test_a_gpu_is_used_where_there_is_one(monkeypatch, has_gpu, found):
    """Unless the CPU is asked for."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device_of("auto") == torch.device(found)
    assert device_of("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("n_gpus", "name", "said"), [(0, "cuda", "no GPU"), (1, "cuda:1", "1 GPU"), (2, "cuda:7", "2 GPUs")]
)
def test_a_gpu_that_is_not_there_is_refused(monkeypatch, n_gpus, name, said):
    """Named, with the setting that mends it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: n_gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n_gpus)
    with pytest.raises(TrainingError, match=rf"fit\.device is {name}, and torch finds {said} here\. Set"):
        device_of(name)
