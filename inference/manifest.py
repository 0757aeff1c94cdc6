"""Manifest: what a bundle says of itself, typed; nothing in it is optional by accident and nothing is unknown (law 10).

Three kinds share the head (name, version, kind, origin, licence, training, files). A model (``eeg_emg``, ``fmri``) adds
its tensors and calibration, ``eeg_emg`` also the stream it was trained on, ``fmri`` the scans; ``fusion`` adds weights
and the bundles they were fitted on. Every key is described in the docstring of the class that holds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from acquisition.fields import Fields
from inference.calibration import Calibration
from inference.errors import BundleError
from inference.image_spec import ImageSpec, read_image

#: Kinds of bundles; the first two are also the names of the modalities.
KINDS = ("eeg_emg", "fmri", "fusion")
#: Where a bundle's knowledge comes from; ``synthetic`` is said on every screen and in every result (law 9).
ORIGINS = ("synthetic", "clinical")
#: Ways from window logits to the session's logit.
AGGREGATIONS = ("logit_mean_quality", "prob_mean")
#: Ways from calibrated modalities to one number; see :func:`inference.fusion.combine`.
METHODS = ("equal", "logit_stack", "mean_prob")
#: How far from 1 the two weights of a mean of probabilities may sum, for rounding.
SUM_ATOL = 1e-9
#: Types of tensors that engines take and give.
DTYPES = ("float32", "float64", "int64", "bool")
#: What to do about a manifest that is refused.
REMEDY = "Take the bundle again from where it was built, or build it again."
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name, its shape (a text is a free axis, such as ``"batch"``) and its dtype."""

    name: str
    shape: tuple[int | str, ...]
    dtype: str

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Return whether an array of ``shape`` may be this tensor."""
        axes = zip(shape, self.shape, strict=False)
        return len(shape) == len(self.shape) and all(isinstance(want, str) or n == want for n, want in axes)

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(map(str, self.shape))}) {self.dtype}"


@dataclass(frozen=True)
class SignalSpec:
    """The stream that an ``eeg_emg`` bundle was trained on, and that alone it may score.

    Attributes
    ----------
    montage : str
        Name, for people; the labels decide.
    labels, kinds : tuple of str
        Channels in the order of the input's last axis; ``eeg`` or ``emg``.
    rate_hz : float
        Samples per second.
    n_samples, stride : int
        Length of a window and the step it was trained with. A session may step less, never more.
    fingerprint : str
        SHA-256 of the conditioning's specification.
    mains_hz : tuple of float
        Mains frequencies whose notch was in the training signal.
    """

    montage: str
    labels: tuple[str, ...]
    kinds: tuple[str, ...]
    rate_hz: float
    n_samples: int
    stride: int
    fingerprint: str
    mains_hz: tuple[float, ...]


@dataclass(frozen=True)
class Golden:
    """A window that every engine can make by itself, and the logit it must find (see :mod:`.engines.parity`)."""

    window: str
    seed: int
    logit: float


@dataclass(frozen=True)
class Embedding:
    """Mean, shape (n,), and covariance, shape (n, n), of the training patients' embeddings."""

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class FmaSpec:
    """How far the points that a model expects lay from the true ones, on patients that it never saw.

    Attributes
    ----------
    half_width : float
        Points on either side that held `coverage` of those patients.
    coverage : float
        Share, such as 0.9.
    n : int
        Patients.
    """

    half_width: float
    coverage: float
    n: int


@dataclass(frozen=True)
class Head:
    """What every kind of bundle says.

    Attributes
    ----------
    name, version, kind, origin, licence : str
        Identity; ``origin`` is ``synthetic`` or ``clinical``.
    training : mapping
        The run that made it: seeds, cohort, figures. Free keys; for people.
    files : mapping of str to str
        SHA-256 of each file beside the manifest; ``card.md`` always, ``model.onnx`` for a model.
    """

    name: str
    version: str
    kind: str
    origin: str
    licence: str
    training: Mapping[str, Any]
    files: Mapping[str, str]


@dataclass(frozen=True)
class ModelManifest:
    """What a model bundle says.

    Attributes
    ----------
    head : Head
        Identity and files.
    inputs, outputs : tuple of TensorSpec
        Tensors of ``model.onnx``.
    signal : SignalSpec or None
        For ``eeg_emg``; None for ``fmri``.
    aggregation : str
        One of :data:`AGGREGATIONS`.
    calibration : mapping of str to Calibration
        One per aggregation that was calibrated; the chosen one is among them.
    n_min, n_ready : int
        Windows' worth of signal from which there is a number, and from which it is no longer provisional.
    threshold : float
        Probability above which the model would say yes; for reports, never shown as a verdict.
    logit_atol : float
        Largest difference of a logit between two engines that may serve one session (``parity.logit_atol``).
    golden : tuple of Golden
        May be empty in the making; a bundle that ships has some.
    embedding : Embedding or None
        None when the model gives none.
    fma : FmaSpec or None
        For a model with an output ``fma``, Fugl-Meyer points at 3 months; None for one without.
    image : ImageSpec or None
        For ``fmri``; None for ``eeg_emg``.
    """

    head: Head
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    signal: SignalSpec | None
    aggregation: str
    calibration: Mapping[str, Calibration]
    n_min: int
    n_ready: int
    threshold: float
    logit_atol: float
    golden: tuple[Golden, ...]
    embedding: Embedding | None
    fma: FmaSpec | None = None
    image: ImageSpec | None = None


@dataclass(frozen=True)
class FusionDraw:
    """One set of weights of the two modalities; what they weigh is the method's (:func:`inference.fusion.combine`)."""

    eeg_emg: float
    fmri: float
    bias: float


@dataclass(frozen=True)
class FusionManifest:
    """What a fusion bundle says.

    Attributes
    ----------
    head : Head
        Identity and files.
    method : str
        One of :data:`METHODS`: ``equal``, one half of each one's log-odds; ``logit_stack``, weighted log-odds and a
        bias; ``mean_prob``, a weighted mean of the probabilities.
    untrained : bool
        True where no patient had a say in the weights, which is what ``equal`` is.
    weights : FusionDraw
        The weights themselves.
    draws : tuple of FusionDraw
        The weights fitted on resampled patients; empty when untrained.
    fitted_on : mapping of str to str or None
        SHA-256 of the manifest of each modality's bundle; None where there was none.
    n_min, n_ready : int
        As in :class:`ModelManifest`; these hold once both modalities are fused.
    """

    head: Head
    method: str
    untrained: bool
    weights: FusionDraw
    draws: tuple[FusionDraw, ...]
    fitted_on: Mapping[str, str | None]
    n_min: int
    n_ready: int


def read_manifest(value: object, file: str) -> ModelManifest | FusionManifest:
    """Return the manifest that ``value``, the parsed ``manifest.json``, holds.

    Raises
    ------
    BundleError
        If a key is missing, unknown or of the wrong type; names ``file`` and the key.
    """
    fields = Fields(value, file, "", BundleError, REMEDY)
    head = _head(fields)
    manifest = _fusion(fields, head) if head.kind == "fusion" else _model(fields, head)
    fields.end()
    return manifest


def _head(fields: Fields) -> Head:
    return Head(
        name=fields.text("name"),
        version=fields.text("version"),
        kind=fields.text("kind", among=KINDS),
        origin=fields.text("origin", among=ORIGINS),
        licence=fields.text("licence"),
        training=fields.mapping("training"),
        files=_files(fields),
    )


def _files(fields: Fields) -> dict[str, str]:
    files = fields.mapping("files")
    for name, sha256 in files.items():
        # A name with a folder in it could point outside the bundle.
        if "/" in name or "\\" in name or name.startswith("."):
            raise fields.refuse(f"files.{name}", "is not a plain file name")
        if not _is_sha256(sha256):
            raise fields.refuse(f"files.{name}", f"is {sha256!r}, expected a SHA-256")
    if "card.md" not in files:
        raise fields.refuse("files", "does not list card.md, without which a model must not be used")
    return files


def _model(fields: Fields, head: Head) -> ModelManifest:
    if "model.onnx" not in head.files:
        raise fields.refuse("files", "does not list model.onnx")
    aggregation = fields.text("aggregation", among=AGGREGATIONS)
    manifest = ModelManifest(
        head=head,
        inputs=_tensors(fields, "inputs"),
        outputs=_tensors(fields, "outputs"),
        signal=_signal(fields) if head.kind == "eeg_emg" else None,
        aggregation=aggregation,
        calibration=_calibrations(fields, aggregation),
        n_min=(n_min := fields.count("n_min", low=1)),
        n_ready=fields.count("n_ready", low=n_min),
        threshold=fields.number("threshold", low=0.0, high=1.0),
        logit_atol=_parity(fields.object("parity")),
        golden=_golden(fields),
        embedding=_embedding(fields),
        fma=_fma(fields),
        image=read_image(fields, head.files) if head.kind == "fmri" else None,
    )
    if len(manifest.inputs) != 1:
        raise fields.refuse("inputs", f"has {len(manifest.inputs)} tensors, expected one: x or slices")
    outputs = {tensor.name for tensor in manifest.outputs}
    if "logit" not in outputs:
        raise fields.refuse("outputs", "has no logit")
    if (manifest.fma is None) == ("fma" in outputs):
        raise fields.refuse("fma", "needs an output fma, and an output fma needs its interval")
    if head.kind == "fmri" and [len(t.shape) for t in manifest.outputs if t.name == "features"] != [4]:
        raise fields.refuse("outputs", "has no features of four axes, without which nobody knows where it looked")
    return manifest


def _tensors(fields: Fields, key: str) -> tuple[TensorSpec, ...]:
    tensors = []
    for item in fields.objects(key):
        shape = item.take("shape")
        if not isinstance(shape, list) or not shape or not all(map(_is_axis, shape)):
            raise item.refuse("shape", f"is {shape!r}, expected a list of axes: whole numbers or names")
        tensors.append(TensorSpec(item.text("name"), tuple(shape), item.text("dtype", among=DTYPES)))
        item.end()
    if not tensors:
        raise fields.refuse(key, "is empty")
    return tuple(tensors)


def _signal(fields: Fields) -> SignalSpec:
    montage, window = fields.object("montage"), fields.object("window")
    spec = SignalSpec(
        montage=montage.text("name"),
        labels=(labels := montage.texts("labels")),
        kinds=(kinds := montage.texts("kinds", among=("eeg", "emg"))),
        rate_hz=fields.number("rate_hz", low=1.0),
        n_samples=window.count("n_samples", low=1),
        stride=window.count("stride", low=1),
        fingerprint=fields.text("fingerprint"),
        mains_hz=fields.numbers("mains_hz", low=1.0),
    )
    montage.end()
    window.end()
    if not labels or len(labels) != len(kinds):
        raise fields.refuse("montage.kinds", f"has {len(kinds)} entries for {len(labels)} labels")
    if not spec.mains_hz:
        raise fields.refuse("mains_hz", "is empty")
    return spec


def _calibrations(fields: Fields, aggregation: str) -> dict[str, Calibration]:
    methods = fields.object("calibration")
    curves = {method: _calibration(methods.object(method)) for method in AGGREGATIONS if methods.has(method)}
    methods.end()
    if aggregation not in curves:
        raise fields.refuse("calibration", f"has no curve for the aggregation {aggregation}")
    return curves


def _calibration(fields: Fields) -> Calibration:
    draws = fields.object("draws")
    curve = Calibration(
        n=fields.numbers("n", low=1.0),
        a=fields.numbers("a"),
        b=fields.numbers("b"),
        draws_a=draws.table("a"),
        draws_b=draws.table("b"),
    )
    draws.end()
    fields.end()
    if not curve.n or list(curve.n) != sorted(set(curve.n)):
        raise fields.refuse("n", f"is {list(curve.n)}, expected rising numbers of windows")
    for key, rows in (("a", curve.a), ("b", curve.b), ("draws.a", curve.draws_a), ("draws.b", curve.draws_b)):
        if len(rows) != len(curve.n):
            raise fields.refuse(key, f"has {len(rows)} entries for {len(curve.n)} numbers of windows")
    if not curve.draws_a[0] or len(curve.draws_a[0]) != len(curve.draws_b[0]):
        raise fields.refuse("draws", f"holds {len(curve.draws_a[0])} draws of a and {len(curve.draws_b[0])} of b")
    return curve


def _parity(fields: Fields) -> float:
    atol = fields.number("logit_atol", low=0.0)
    fields.end()
    return atol


def _golden(fields: Fields) -> tuple[Golden, ...]:
    if not fields.has("golden"):
        return ()
    golden = []
    for item in fields.objects("golden"):
        golden.append(Golden(item.text("window"), item.count("seed"), item.number("logit")))
        item.end()
    return tuple(golden)


def _embedding(fields: Fields) -> Embedding | None:
    if not fields.has("embedding"):
        return None
    item = fields.object("embedding")
    embedding = Embedding(item.numbers("mean"), item.table("covariance"))
    item.end()
    n = len(embedding.mean)
    if not n or len(embedding.covariance) != n or any(len(row) != n for row in embedding.covariance):
        raise fields.refuse("embedding.covariance", f"is not {n} by {n}, as its mean demands")
    return embedding


def _fma(fields: Fields) -> FmaSpec | None:
    if not fields.has("fma"):
        return None
    item = fields.object("fma")
    spec = FmaSpec(
        half_width=item.number("half_width", low=0.0),
        coverage=item.number("coverage", low=0.0, high=1.0),
        n=item.count("n", low=1),
    )
    item.end()
    return spec


def _fusion(fields: Fields, head: Head) -> FusionManifest:
    manifest = FusionManifest(
        head=head,
        method=(method := fields.text("method", among=METHODS)),
        untrained=(untrained := fields.truth("untrained")),
        weights=(weights := _weights(fields.object("weights"))),
        draws=(draws := tuple(map(_weights, fields.objects("draws")))),
        fitted_on=_fitted_on(fields.object("bundles")),
        n_min=(n_min := fields.count("n_min", low=1)),
        n_ready=fields.count("n_ready", low=n_min),
    )
    if method == "equal" and weights != FusionDraw(0.5, 0.5, 0.0):
        raise fields.refuse("weights", f"are {weights}, but the method equal is one half each and no bias")
    if method == "mean_prob":
        _require_mean(fields, (weights, *draws))
    if untrained == bool(draws):
        raise fields.refuse("draws", f"holds {len(draws)} draws, but untrained is {str(untrained).lower()}")
    if untrained != (method == "equal"):
        raise fields.refuse("untrained", f"is {str(untrained).lower()}, which the method {method} cannot be")
    return manifest


def _require_mean(fields: Fields, sets: tuple[FusionDraw, ...]) -> None:
    for one in sets:
        if abs(one.eeg_emg + one.fmri - 1.0) > SUM_ATOL or one.bias:
            raise fields.refuse("weights", f"are {one}, but those of a mean of probabilities sum to 1, without a bias")


def _weights(fields: Fields) -> FusionDraw:
    # A negative weight would have a modality speak against itself.
    weights = FusionDraw(fields.number("eeg_emg", low=0.0), fields.number("fmri", low=0.0), fields.number("bias"))
    fields.end()
    return weights


def _fitted_on(fields: Fields) -> dict[str, str | None]:
    fitted_on = {kind: fields.text(kind) if fields.has(kind) else None for kind in KINDS[:2]}
    fields.end()
    for kind, sha256 in fitted_on.items():
        if sha256 is not None and not _is_sha256(sha256):
            raise fields.refuse(kind, f"is {sha256!r}, expected a SHA-256 or null")
    return fitted_on


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_axis(value: object) -> bool:
    return (isinstance(value, str) and value != "") or (type(value) is int and value > 0)
