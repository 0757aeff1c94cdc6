"""First weights are the file's, bit for bit, or refused; where they are from is never in doubt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from inference.bundle import sha256_of_file
from training.backbones.backbone import build, create
from training.backbones.catalogue import ARCHITECTURES, NAMES
from training.backbones.library import load
from training.backbones.weights import Initialised, Weights, body_of, read_weights, weights_folder
from training.errors import WeightsError

SHUFFLENET = ARCHITECTURES["shufflenet"]


def published(name: str) -> dict[str, Tensor]:
    """Return a state dict as it is published, with numbers of its own in every tensor."""
    state = build(ARCHITECTURES[name], n_outputs=1000, seed=7).state_dict()
    random = torch.Generator().manual_seed(7)
    return {key: _lively(value, random).contiguous() for key, value in state.items()}


def _lively(value: Tensor, random: torch.Generator) -> Tensor:
    # A gain of 0 or a variance of 1, as a network begins, would hide an error.
    return value if value.dtype != torch.float32 else value + 0.1 * (torch.rand(value.shape, generator=random) - 0.5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_is_taken_unchanged(name, suffix, tmp_path: Path):
    """Every tensor of the body is the file's, bit for bit; the classifier is a new one; the digest is the file's."""
    state, path = published(name), tmp_path / f"w{suffix}"
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    made = create(name, weights=Weights.of(str(path)), seed=0)
    own = made.net.state_dict()
    body = body_of(state, made.architecture)
    assert all(torch.equal(own[key], value) for key, value in body.items())
    assert {own[key].shape[0] for key in own.keys() - body} == {1}
    assert made.initialised == Initialised("file", path.name, sha256_of_file(path))


def test_regnet_takes_torchvisions_names(tmp_path: Path, slices):
    """Its published file has another library's names; with them it answers as that library's network does."""
    theirs = load("torchvision").models.regnet_y_400mf(weights=None).eval()
    random = torch.Generator().manual_seed(7)
    theirs.load_state_dict({key: _lively(value, random) for key, value in theirs.state_dict().items()})
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    ours = create("regnet", weights=Weights("file", tmp_path / "w.pth"), seed=0).eval()
    x = torch.from_numpy(slices.copy())
    with torch.no_grad():
        expected, found = nn.Sequential(theirs.stem, theirs.trunk_output)(x), ours.features(x)
    assert bool(expected.any()) and bool(expected.isfinite().all())
    assert torch.allclose(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_counters_of_batches_may_be_missing(tmp_path: Path):
    """Older files have none."""
    state = {key: value for key, value in published("shufflenet").items() if not key.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "w.pth")
    assert create("shufflenet", weights=Weights("file", tmp_path / "w.pth"), seed=0).initialised.how == "file"


def test_published_weights_are_found_by_their_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In the folder that the variable names; the publisher's digest holds."""
    monkeypatch.setenv("FLEXION_WEIGHTS", str(tmp_path))
    path = tmp_path / SHUFFLENET.published.file
    torch.save(published("shufflenet"), path)
    with pytest.raises(WeightsError, match=r"is not what was published.*begins with .*expected 5666bf0f80"):
        read_weights(Weights("imagenet"), SHUFFLENET)
    right = replace(SHUFFLENET.published, sha256_prefix=sha256_of_file(path)[:10])
    state, initialised = read_weights(Weights("imagenet"), replace(SHUFFLENET, published=right))
    assert len(state) == 336
    assert str(initialised) == f"imagenet, {path.name} ({sha256_of_file(path)[:12]})"


def test_without_the_file_the_way_to_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Which file, from where, to where, and how to do without."""
    monkeypatch.setenv("FLEXION_WEIGHTS", str(tmp_path))
    with pytest.raises(WeightsError) as refused:
        create("resnet50", weights=Weights.of("imagenet"), seed=0)
    words = str(refused.value)
    assert "ResNet50 are not on this machine" in words
    assert f"Put https://download.pytorch.org/models/resnet50-11ad3fa6.pth at {tmp_path}/resnet50-11ad3fa6.pth" in words
    assert "--weights none" in words and refused.value.exit_code == 3


def test_a_path_to_nothing_is_refused(tmp_path: Path):
    """With its name."""
    with pytest.raises(WeightsError, match=r"There are no weights at .*absent\.pth"):
        create("shufflenet", weights=Weights.of(str(tmp_path / "absent.pth")), seed=0)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights at all", b"PK\x03\x04cut"])
def test_a_file_that_is_none_is_refused(suffix, content, tmp_path: Path):
    """Empty, of another kind, or cut."""
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"cannot be read \(\w+\)"):
        create("shufflenet", weights=Weights("file", path), seed=0)


@given(at=st.integers(0, 2000), byte=st.integers(0, 255), length=st.integers(0, 3000))
def test_a_file_that_is_broken_anywhere_is_refused_or_read(at, byte, length, tmp_path_factory):
    """No byte of it ends in anything but tensors or a refusal."""
    folder = tmp_path_factory.mktemp("broken")
    torch.save({"a": torch.zeros(4)}, folder / "w.pth")
    content = bytearray((folder / "w.pth").read_bytes())
    content[at % len(content)] = byte
    (folder / "w.pth").write_bytes(bytes(content[: max(length, 1)]) if length < 2500 else bytes(content))
    with pytest.raises(WeightsError):
        read_weights(Weights("file", folder / "w.pth"), SHUFFLENET)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2]])
def test_a_file_without_tensors_is_refused(content, tmp_path: Path):
    """A checkpoint of something else is no state dict."""
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="holds no state dict"):
        create("shufflenet", weights=Weights("file", tmp_path / "w.pth"), seed=0)


def test_weights_of_another_network_are_refused(tmp_path: Path):
    """By a name or by a shape; nothing is loaded in part."""
    torch.save(published("ghostnet"), tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"512 tensors that are not those of ShuffleNetV2 x1\.0"):
        create("shufflenet", weights=Weights("file", tmp_path / "w.pth"), seed=0)
    wider = load("torchvision").models.shufflenet_v2_x1_5(weights=None).state_dict()
    torch.save(wider, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="tensors that are not those of ShuffleNetV2"):
        create("shufflenet", weights=Weights("file", tmp_path / "w.pth"), seed=0)


def test_random_weights_say_so(monkeypatch: pytest.MonkeyPatch):
    """And the folder is the user's cache where nothing names another."""
    monkeypatch.delenv("FLEXION_WEIGHTS", raising=False)
    assert weights_folder() == Path.home() / ".cache/flexion/weights"
    assert str(create("shufflenet", weights=Weights.of("none"), seed=0).initialised) == "random"
    assert [str(Weights.of(text)) for text in ("none", "imagenet", "a/b.pth")] == ["none", "imagenet", "a/b.pth"]
