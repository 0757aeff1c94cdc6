"""Gradcam: where the image model looked, in closed form from its last feature map; no network is run again (pure).

The logit is a readout of the pooled features: one linear layer, or several with rectifiers between them. Its slope
against the pooled features is known without automatic differentiation, so that Grad-CAM (Selvaraju et al. 2017) is a
weighted sum of the feature maps. Both signs are kept: what pushed towards the better outcome and what pushed away.

A cell of the map is a seventh of the field of view. It says where this model looked, and nothing about the tissue.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.errors import BundleError
from inference.image_spec import READOUT_LAYERS
from inference.manifest import REMEDY

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Linear:
    """A linear layer of a readout: ``weight @ x + bias``.

    Attributes
    ----------
    weight : ndarray, shape (n_out, n_in), float64
    bias : ndarray, shape (n_out,), float64
    """

    weight: Array
    bias: Array


@dataclass(frozen=True)
class Readout:
    """The layers between the pooled features and the logit.

    Attributes
    ----------
    linears : tuple of Linear
        In the order of the data, a rectifier between each two; the last has one output, the logit.
    """

    linears: tuple[Linear, ...]

    @classmethod
    def of(cls, *layers: tuple[NDArray[np.floating], NDArray[np.floating]]) -> Readout:
        """Return the readout of (weight, bias) pairs, a rectifier between each two.

        Raises
        ------
        BundleError
            If the shapes do not chain up to one logit, or a value is not finite.
        """
        linears = tuple(Linear(np.asarray(w, np.float64), np.asarray(b, np.float64)) for w, b in layers)
        _check(linears, "readout")
        return cls(linears)

    @classmethod
    def load(cls, path: Path, layers: Sequence[str]) -> Readout:
        """Read the arrays of a bundle: ``<i>.weight`` and ``<i>.bias`` for each linear layer ``i`` of ``layers``.

        Parameters
        ----------
        path : Path
            The ``.npz`` file that the manifest's ``cam`` names; its hash was checked with the bundle.
        layers : sequence of str
            The manifest's ``cam.layers``: ``linear`` and ``relu`` in turn.

        Raises
        ------
        BundleError
            If the file is no such archive, lacks an array, or the shapes do not chain.
        """
        places = [i for i, layer in enumerate(layers) if layer == READOUT_LAYERS[0]]
        try:
            with np.load(path, allow_pickle=False) as arrays:
                pairs = [(arrays[f"{i}.weight"], arrays[f"{i}.bias"]) for i in places]
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"{path} does not hold the layers {', '.join(layers)}: {error}.", subject=str(path), remedy=REMEDY
            ) from error
        linears = tuple(Linear(np.asarray(w, np.float64), np.asarray(b, np.float64)) for w, b in pairs)
        _check(linears, str(path))
        return cls(linears)

    @property
    def layers(self) -> tuple[str, ...]:
        """The names for the manifest's ``cam.layers``: ``linear``, or ``linear, relu, linear`` and so on."""
        linear, relu = READOUT_LAYERS
        return (linear, *(name for _ in self.linears[1:] for name in (relu, linear)))

    def save(self, path: Path) -> None:
        """Write the arrays as float32 to an ``.npz`` file; the same arrays give the same bytes."""
        arrays: dict[str, Any] = {}
        for i, linear in enumerate(self.linears):
            arrays[f"{2 * i}.weight"] = linear.weight.astype(np.float32)
            arrays[f"{2 * i}.bias"] = linear.bias.astype(np.float32)
        np.savez(path, **arrays)

    def logits(self, pooled: Array) -> Array:
        """Return the logits, shape (n,), of pooled features, shape (n, n_features)."""
        x = self.linears[0].weight @ pooled.T + self.linears[0].bias[:, np.newaxis]
        for linear in self.linears[1:]:
            x = linear.weight @ np.maximum(x, 0.0) + linear.bias[:, np.newaxis]
        return np.asarray(x[0])

    def slopes(self, pooled: Array) -> Array:
        """Return the slope of each logit against its pooled features, shape (n, n_features)."""
        passes, x = [], pooled
        for linear in self.linears[:-1]:
            x = x @ linear.weight.T + linear.bias
            passes.append(x > 0.0)
            x = np.maximum(x, 0.0)
        slopes = np.repeat(self.linears[-1].weight, len(pooled), axis=0)
        for linear, passed in zip(reversed(self.linears[:-1]), reversed(passes), strict=True):
            slopes = (slopes * passed) @ linear.weight
        return slopes


@dataclass(frozen=True)
class Attention:
    """Where the model looked, slice by slice.

    Attributes
    ----------
    signed : ndarray, shape (n, h, w), float64
        What each cell pushed the slice's logit by: above 0 towards the better outcome, below 0 away from it. Its sum is
        the slice's logit less what the readout adds by itself.
    logits : ndarray, shape (n,), float64
        The logits as the readout makes them of the features; the engine's are the same within its parity bound.
    """

    signed: Array
    logits: Array

    @property
    def positive(self) -> Array:
        """Grad-CAM of the better outcome, shape (n, h, w), never below 0."""
        return np.maximum(self.signed, 0.0)

    @property
    def negative(self) -> Array:
        """Grad-CAM of the poorer outcome, shape (n, h, w), never below 0."""
        return np.maximum(-self.signed, 0.0)

    @property
    def strength(self) -> Array:
        """How strongly each slice was looked at, shape (n,): the mean over its cells of both signs."""
        return np.asarray(np.abs(self.signed).mean(axis=(1, 2)))

    @property
    def order(self) -> NDArray[np.intp]:
        """The slices, that with the strongest attention first; the lower one of two equals."""
        return np.argsort(-self.strength, kind="stable")


def cam(features: NDArray[np.floating], readout: Readout) -> Attention:
    """Return where the model looked.

    Parameters
    ----------
    features : ndarray, shape (n, n_features, h, w)
        The output ``features`` of the bundle's model: the last map before pooling.
    readout : Readout
        Of the same bundle.

    Returns
    -------
    Attention
        ``positive`` is what automatic differentiation of Grad-CAM gives with these features as its target.

    Raises
    ------
    BundleError
        If the readout takes another number of features.
    """
    maps = np.asarray(features, np.float64)
    n_in = readout.linears[0].weight.shape[1]
    if maps.ndim != 4 or maps.shape[1] != n_in:
        raise BundleError(
            f"The readout takes {n_in} feature maps per slice, but features of shape {maps.shape} came.",
            subject="features",
            remedy=REMEDY,
        )
    pooled = maps.mean(axis=(2, 3))
    n_cells = maps.shape[2] * maps.shape[3]
    signed = np.einsum("nc,nchw->nhw", readout.slopes(pooled) / n_cells, maps)
    return Attention(signed, readout.logits(pooled))


def upsample(maps: Array, size: int) -> Array:
    """Return maps of shape (n, h, w) on a grid of ``size`` x ``size`` pixels, bilinear between the cells' centres.

    Beyond the outermost centres the value is held, as ``torch.nn.functional.interpolate(align_corners=False)`` does.
    """
    rows, columns = _bilinear(size, maps.shape[1]), _bilinear(size, maps.shape[2])
    return np.asarray(rows @ maps @ columns.T)


def _bilinear(size: int, n: int) -> Array:
    """Return the share of each of ``n`` cells in each of ``size`` pixels, shape (size, n)."""
    place = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0.0, n - 1.0)
    return np.maximum(0.0, 1.0 - np.abs(place[:, np.newaxis] - np.arange(n)))


def _check(linears: Sequence[Linear], where: str) -> None:
    n_in: int | None = None
    for linear in linears:
        weight, bias = linear.weight, linear.bias
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or n_in not in (None, weight.shape[1]):
            raise _broken(where, f"a layer has weights {weight.shape} and offsets {bias.shape} after {n_in} values")
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise _broken(where, "a value is not finite")
        n_in = weight.shape[0]
    if n_in != 1:
        raise _broken(where, f"the last layer gives {n_in} values, expected one logit")


def _broken(where: str, words: str) -> BundleError:
    return BundleError(f"{where}: {words}.", subject=where, remedy=REMEDY)
