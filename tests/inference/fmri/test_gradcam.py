"""Grad-CAM in closed form: slopes, signs, order, and the arrays that a bundle holds."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BundleError
from inference.fmri.gradcam import Readout, cam, upsample


def readout(seed: int, *widths: int) -> Readout:
    """Return a readout of these widths, drawn anew for each seed."""
    random = np.random.RandomState(seed)
    sizes = itertools.pairwise(widths)
    return Readout.of(*((random.normal(size=(b, a)), random.normal(size=b)) for a, b in sizes))


def features(seed: int, n: int = 3, width: int = 6) -> np.ndarray:
    """Return the feature maps of ``n`` slices."""
    return np.random.RandomState(seed).normal(size=(n, width, 7, 7)).astype(np.float32)


@given(seed=st.integers(0, 2**31 - 1), hidden=st.sampled_from([(), (5,), (5, 4)]))
def test_the_map_is_the_slope_against_each_cell_times_the_cell(seed: int, hidden: tuple[int, ...]) -> None:
    """Grad-CAM: each feature weighted by the mean slope of the logit against its cells, by differences here."""
    of, maps = readout(seed, 6, *hidden, 1), features(seed, n=1).astype(np.float64)
    pooled, step = maps.mean(axis=(2, 3)), 1e-7
    slopes = [(of.logits(pooled + step * unit) - of.logits(pooled - step * unit))[0] / (2 * step) for unit in np.eye(6)]
    wanted = np.einsum("c,chw->hw", np.array(slopes) / 49, maps[0])
    found = cam(maps, of)
    np.testing.assert_allclose(found.signed[0], wanted, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.logits, of.logits(pooled))


@given(seed=st.integers(0, 2**31 - 1))
def test_with_one_layer_the_map_adds_up_to_the_logit(seed: int) -> None:
    """Nothing of the logit but its offset is left out of the map."""
    of = readout(seed, 6, 1)
    found = cam(features(seed), of)
    np.testing.assert_allclose(found.signed.sum(axis=(1, 2)) + of.linears[0].bias, found.logits, atol=1e-9)


def test_both_signs_are_kept_apart() -> None:
    """What pushed towards the better outcome and what pushed away make the map together."""
    found = cam(features(1), readout(1, 6, 1))
    assert (found.positive >= 0).all() and (found.negative >= 0).all()
    assert (found.positive > 0).any() and (found.negative > 0).any()
    assert (found.positive - found.negative == found.signed).all()


def test_the_slice_with_the_strongest_attention_comes_first() -> None:
    """Either sign is attention; of two equals the lower slice."""
    maps = features(2, n=1)
    found = cam(np.concatenate([maps, 3 * maps, -2 * maps, 3 * maps]), readout(2, 6, 1))
    assert found.order.tolist() == [1, 3, 2, 0]


def test_a_readout_comes_back_from_its_file(tmp_path: Path) -> None:
    """In single precision, in the same bytes each time."""
    of = readout(3, 6, 5, 1)
    of.save(tmp_path / "head.npz")
    of.save(tmp_path / "again.npz")
    back = Readout.load(tmp_path / "head.npz", of.layers)
    assert of.layers == ("linear", "relu", "linear") == back.layers
    for one, other in zip(of.linears, back.linears, strict=True):
        assert (one.weight.astype(np.float32) == other.weight).all()
        assert (one.bias.astype(np.float32) == other.bias).all()
    assert (tmp_path / "head.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


@pytest.mark.parametrize("spoil", [lambda b: b"", lambda b: b"text", lambda b: b[:-30], lambda b: b[:100]])
def test_a_broken_file_is_refused(tmp_path: Path, spoil) -> None:
    """Whatever it holds, in words; also one without the layers that the manifest names."""
    path = tmp_path / "head.npz"
    readout(4, 6, 1).save(path)
    with pytest.raises(BundleError, match=r"head.npz does not hold the layers linear, relu, linear: .*2\.weight"):
        Readout.load(path, ("linear", "relu", "linear"))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BundleError, match=r"head.npz does not hold the layers linear: .* or build it again"):
        Readout.load(path, ("linear",))
    with pytest.raises(BundleError, match=r"nothing.npz does not hold"):
        Readout.load(tmp_path / "nothing.npz", ("linear",))


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([(np.ones((2, 6)), np.ones(2))], "the last layer gives 2 values, expected one logit"),
        ([(np.ones((5, 6)), np.ones(5)), (np.ones((1, 4)), np.ones(1))], r"weights \(1, 4\) and .* after 5 values"),
        ([(np.ones((1, 6)), np.ones(2))], r"weights \(1, 6\) and offsets \(2,\)"),
        ([(np.ones(6), np.ones(1))], r"weights \(6,\)"),
        ([(np.full((1, 6), np.nan), np.ones(1))], "a value is not finite"),
    ],
)
def test_layers_that_do_not_chain_are_refused(layers: list, words: str) -> None:
    """A readout ends in one logit, and each layer takes what the one before gives."""
    with pytest.raises(BundleError, match=words):
        Readout.of(*layers)


def test_features_of_another_model_are_refused() -> None:
    """The readout knows how many maps it takes."""
    with pytest.raises(BundleError, match=r"takes 6 feature maps per slice, but features of shape \(3, 4, 7, 7\) came"):
        cam(features(0, width=4), readout(0, 6, 1))
    with pytest.raises(BundleError, match=r"shape \(6, 7\) came"):
        cam(np.zeros((6, 7)), readout(0, 6, 1))


def test_upsampling_runs_straight_between_the_centres_of_cells() -> None:
    """A plane stays a plane between the outermost centres and is held beyond; a constant stays what it is."""
    across = (np.arange(224) + 0.5) * 7 / 224 - 0.5
    plane = np.arange(7.0)[:, np.newaxis] + 10 * np.arange(7.0)
    held = np.clip(across, 0, 6)
    np.testing.assert_allclose(upsample(plane[np.newaxis], 224)[0], held[:, np.newaxis] + 10 * held, atol=1e-12)
    np.testing.assert_allclose(upsample(np.full((2, 7, 7), 3.0), 50), 3.0)


def test_upsampling_is_what_torch_interpolates() -> None:
    """The same bilinear rule as where Grad-CAM is usually made."""
    torch = pytest.importorskip("torch")
    maps = np.random.RandomState(0).normal(size=(2, 7, 7))
    wanted = torch.nn.functional.interpolate(torch.from_numpy(maps)[None], (224, 224), mode="bilinear")[0].numpy()
    np.testing.assert_allclose(upsample(maps, 224), wanted, atol=1e-12)
