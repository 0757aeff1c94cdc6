"""ImageSpec: what an ``fmri`` bundle says of the scans it was trained on, and of how its logit comes of its features.

Preparation and scanner are kept as the JSON of ``inference.fmri``'s own types: the processes that aggregate and show
load bundles too, and never load what reads scans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acquisition.fields import Fields

#: Layers between pooled features and logit, in the order in which they alternate.
READOUT_LAYERS = ("linear", "relu")


@dataclass(frozen=True)
class CamSpec:
    """How the logit comes of the pooled features (``cam``).

    Attributes
    ----------
    file : str
        Archive of the layers' arrays, one of the bundle's files; see :class:`inference.fmri.gradcam.Readout`.
    layers : tuple of str
        ``linear`` and ``relu`` in turn, the first and the last ``linear``.
    """

    file: str
    layers: tuple[str, ...]


@dataclass(frozen=True)
class Sanity:
    """How far the maps follow what was learned (``sanity``; Adebayo et al. 2018).

    Attributes
    ----------
    correlation : float
        Mean rank correlation of a slice's map with that of the same network after its weights were drawn anew: near 0
        where the map shows the model, near 1 where it shows the image alone.
    n_slices : int
        Slices that it is the mean over.
    """

    correlation: float
    n_slices: int


@dataclass(frozen=True)
class ImageSpec:
    """The scans that an ``fmri`` bundle was trained on, and that alone it may score.

    Attributes
    ----------
    backbone : str
        The network's name, such as ``shufflenet``.
    preparation : mapping
        JSON of :class:`inference.fmri.preparation.PreparationSpec`.
    scan : mapping
        JSON of :class:`inference.fmri.parameters.ExpectedScan`: the scanner's settings in training, and how far another
        scan may differ from them.
    cam : CamSpec
        From features to logit.
    sanity : Sanity
        What was found when the weights were drawn anew.
    """

    backbone: str
    preparation: Mapping[str, Any]
    scan: Mapping[str, Any]
    cam: CamSpec
    sanity: Sanity


def read_image(fields: Fields, files: Mapping[str, str]) -> ImageSpec:
    """Return what the manifest ``fields`` of an ``fmri`` bundle with these ``files`` say; takes the keys it reads.

    Raises
    ------
    BadInput
        Of the kind that ``fields`` refuses with, if a key is missing, unknown or of the wrong type.
    """
    return ImageSpec(
        backbone=fields.text("backbone"),
        preparation=fields.mapping("preparation"),
        scan=fields.mapping("scan"),
        cam=_cam(fields.object("cam"), files),
        sanity=_sanity(fields.object("sanity")),
    )


def _cam(fields: Fields, files: Mapping[str, str]) -> CamSpec:
    spec = CamSpec(fields.text("file"), fields.texts("layers", among=READOUT_LAYERS))
    fields.end()
    if spec.file not in files:
        raise fields.refuse("file", f"is {spec.file!r}, which is none of the bundle's files")
    linear, relu = READOUT_LAYERS
    if spec.layers != (linear, *(relu, linear) * (len(spec.layers) // 2)):
        raise fields.refuse(
            "layers", f"is {list(spec.layers)}, expected {linear} and {relu} in turn, ends with {linear}"
        )
    return spec


def _sanity(fields: Fields) -> Sanity:
    sanity = Sanity(fields.number("correlation", low=-1.0, high=1.0), fields.count("n_slices", low=1))
    fields.end()
    return sanity
