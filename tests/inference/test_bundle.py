"""Bundles: trusted only after every hash and every key was checked (laws 6 and 10)."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import Bundle, FusionBundle, load_bundle, resolve_bundle, sha256_of
from inference.errors import BundleError, BundleMismatch
from inference.manifest import read_manifest
from tests import no_files
from tests.inference import tiny

STREAM: dict[str, Any] = {
    "labels": tiny.LABELS,
    "rate_hz": 1000.0,
    "n_samples": tiny.N_SAMPLES,
    "fingerprint": tiny.FINGERPRINT,
    "mains_hz": 50.0,
    "kinds": tiny.KINDS,
}


@pytest.fixture
def copied(bundle: Bundle, tmp_path: Path) -> Path:
    """Return a copy of the tiny bundle's folder, to be spoilt."""
    return Path(shutil.copytree(bundle.path, tmp_path / "copy"))


def whole(bundle: Bundle | FusionBundle) -> dict[str, Any]:
    """Return a bundle's manifest as JSON."""
    value: dict[str, Any] = json.loads((bundle.path / "manifest.json").read_text())
    return value


def set_at(value: Any, path: str, change: Any) -> Any:
    """Return a copy of ``value`` with the entry at ``path`` replaced; ``...`` removes it."""
    value = copy.deepcopy(value)
    *parents, last = [int(key) if key.isdigit() else key for key in path.split(".")]
    place = value
    for key in parents:
        place = place[key]
    if change is ...:
        del place[last]
    else:
        place[last] = change
    return value


def test_a_bundle_is_named_by_its_canonical_manifest(bundle: Bundle, copied: Path) -> None:
    """Spaces and the order of keys do not change which bundle it is; a value does."""
    shuffled = dict(reversed(list(whole(bundle).items())))
    (copied / "manifest.json").write_text(json.dumps(shuffled, indent=7))
    assert load_bundle(copied).sha256 == bundle.sha256 == sha256_of(whole(bundle))
    (copied / "manifest.json").write_text(json.dumps({**shuffled, "version": "1.0.1"}))
    assert load_bundle(copied).sha256 != bundle.sha256


def test_a_bundle_introduces_itself(bundle: Bundle) -> None:
    """Results and sessions carry name, version, hash and origin."""
    assert bundle.to_json() == {"name": "tiny", "version": "1.0.0", "sha256": bundle.sha256, "origin": "synthetic"}
    assert bundle.words == f"tiny 1.0.0 ({bundle.sha256[:12]})"


@pytest.mark.parametrize("name", ["model.onnx", "card.md"])
def test_a_changed_file_is_refused(copied: Path, name: str) -> None:
    """One other byte in any file, and the bundle is not what was built."""
    with (copied / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(
        BundleError, match=rf"{name} was changed after it was built: SHA-256 \w+, its manifest says \w+"
    ):
        Bundle.load(copied)


@pytest.mark.parametrize("name", ["model.onnx", "card.md", "manifest.json"])
def test_a_lacking_file_is_refused(copied: Path, name: str) -> None:
    """A bundle without its model, its card or its manifest is none."""
    (copied / name).unlink()
    with pytest.raises(BundleError, match=rf"{name} cannot be read: No such file"):
        Bundle.load(copied)


@pytest.mark.parametrize("name", ["model.onnx", "card.md", "manifest.json"])
@pytest.mark.parametrize("kind", no_files.KINDS)
def test_what_is_no_file_is_refused(copied: Path, name: str, kind: str) -> None:
    """Nothing is waited for, and no device is read without end."""
    (copied / name).unlink()
    no_files.put(kind, copied / name)
    with pytest.raises(BundleError, match=rf"{name} (cannot be read: it )?is {kind}, expected a file"):
        Bundle.load(copied)


@pytest.mark.parametrize("text", ["{", '{"threshold": NaN}', '{"threshold": Infinity}'])
def test_what_is_not_json_is_refused(copied: Path, text: str) -> None:
    """NaN and Infinity are Python, not JSON."""
    (copied / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match=r"manifest.json is not JSON"):
        Bundle.load(copied)


MODEL_FAULTS = [
    ("name", ..., r"name is missing"),
    ("name", "", r"name must be a text, not a text"),
    ("kind", "eeg", r"kind is 'eeg', expected one of eeg_emg, fmri, fusion"),
    ("origin", None, r"origin must be a text, not null"),
    ("rate", 1000, r"rate is not a known key"),
    ("window.hop", 100, r"window\.hop is not a known key"),
    ("montage.sites", [], r"montage\.sites is not a known key"),
    ("montage", [], r"montage must be an object, not a list"),
    ("montage.labels", "C3", r"labels must be a list, not a text"),
    ("montage.labels.1", 7, r"labels\[1\] is 7, expected a text"),
    ("montage.kinds.0", "ecg", r"kinds\[0\] is 'ecg', expected one of eeg, emg"),
    ("montage.labels", ["C3"], r"kinds has 4 entries for 1 labels"),
    ("rate_hz", "1000", r"rate_hz must be a number, not a text"),
    ("rate_hz", True, r"rate_hz must be a number, not a truth value"),
    ("rate_hz", 0, r"rate_hz is 0, expected a finite number from 1"),
    ("window.n_samples", 2.5, r"n_samples must be a whole number, not a number"),
    ("window.stride", 0, r"stride is 0, expected at least 1"),
    ("mains_hz", [], r"mains_hz is empty"),
    ("mains_hz.0", None, r"mains_hz\[0\] must be a number, not null"),
    ("inputs", [], r"inputs is empty"),
    ("inputs.0.dtype", "float16", r"inputs\[0\]\.dtype is 'float16'"),
    ("inputs.0.shape", ["batch", -1], r"inputs\[0\]\.shape is \['batch', -1\], expected a list of axes"),
    ("inputs.0.layout", "NTC", r"inputs\[0\]\.layout is not a known key"),
    ("outputs.0.name", "score", r"outputs has no logit"),
    ("aggregation", "median", r"aggregation is 'median', expected one of logit_mean_quality, prob_mean"),
    ("calibration.logit_mean_quality", ..., r"calibration has no curve for the aggregation logit_mean_quality"),
    ("calibration.platt", {}, r"calibration\.platt is not a known key"),
    ("calibration.prob_mean.c", [], r"calibration\.prob_mean\.c is not a known key"),
    ("calibration.prob_mean.n", [2, 1], r"n is \[2\.0, 1\.0\], expected rising numbers"),
    ("calibration.prob_mean.a", [1.0], r"a has 1 entries for 7 numbers of windows"),
    ("calibration.prob_mean.draws.b", [[0.0]], r"draws\.b has 1 entries for 7"),
    ("calibration.prob_mean.draws.b.0", 0.5, r"draws\.b\[0\] must be a list, not a number"),
    ("calibration.prob_mean.draws.b.0", [0.5], r"draws\.b has rows of different lengths"),
    ("calibration.prob_mean.draws.a", [[0.1]] * 7, r"draws holds 1 draws of a and 20 of b"),
    ("calibration.prob_mean.draws.sd", 1, r"draws\.sd is not a known key"),
    ("n_ready", 1, r"n_ready is 1, expected at least 2"),
    ("threshold", 1.5, r"threshold is 1\.5, expected a finite number from 0 to 1"),
    ("parity.logit_atol", -1, r"parity\.logit_atol is -1"),
    ("parity.rtol", 0, r"parity\.rtol is not a known key"),
    ("golden.0.logit", None, r"golden\[0\]\.logit must be a number"),
    ("golden.0.p", 0.5, r"golden\[0\]\.p is not a known key"),
    ("embedding.covariance", [[1.0]], r"embedding\.covariance is not 8 by 8"),
    ("embedding.sd", 1, r"embedding\.sd is not a known key"),
    ("fma", {"half_width": 7.0, "coverage": 0.9, "n": 40}, r"fma needs an output fma, and an output fma needs its"),
    ("fma", {"half_width": -1.0, "coverage": 0.9, "n": 40}, r"fma\.half_width is -1\.0"),
    ("fma", {"half_width": 7.0, "coverage": 90, "n": 40}, r"fma\.coverage is 90, expected .* 0 to 1"),
    ("fma", {"half_width": 7.0, "coverage": 0.9, "n": 0}, r"fma\.n is 0, expected at least 1"),
    ("fma", {"half_width": 7.0, "coverage": 0.9, "n": 4, "sd": 1}, r"fma\.sd is not a known key"),
    ("outputs.1.name", "fma", r"fma needs an output fma, and an output fma needs its interval"),
    ("training", None, r"training must be an object, not null"),
    ("files", {}, r"files does not list card\.md"),
    ("files", {"card.md": "0" * 64}, r"files does not list model\.onnx"),
]


@pytest.mark.parametrize(("path", "change", "words"), MODEL_FAULTS, ids=[fault[0] for fault in MODEL_FAULTS])
def test_a_wrong_key_is_refused_by_name(bundle: Bundle, path: str, change: Any, words: str) -> None:
    """Whatever is missing, unknown or of another type: the refusal names the file and the key."""
    with pytest.raises(BundleError, match=f"a/manifest.json: .*{words}"):
        read_manifest(set_at(whole(bundle), path, change), "a/manifest.json")


#: Keys that a model may lack: a bundle in the making has no golden windows, and not every net gives an embedding.
NEED_NOT_BE = {"golden", "embedding"}


@pytest.mark.parametrize("key", sorted({*tiny.manifest(), "files"} - NEED_NOT_BE))
def test_a_missing_key_is_refused_by_name(bundle: Bundle, key: str) -> None:
    """Nothing is taken for granted that a manifest does not say."""
    with pytest.raises(BundleError, match=rf"a/manifest.json: {key} is missing") as caught:
        read_manifest(set_at(whole(bundle), key, ...), "a/manifest.json")
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("sha256", [7, "abc", "F" * 64])
def test_a_hash_that_is_none_is_refused(bundle: Bundle, sha256: object) -> None:
    """A file's hash is 64 lower-case hexadecimal digits."""
    with pytest.raises(BundleError, match=r"files\.card\.md is .*, expected a SHA-256"):
        read_manifest({**whole(bundle), "files": {"card.md": sha256}}, "manifest.json")


def test_two_inputs_are_refused(bundle: Bundle) -> None:
    """An engine takes one tensor."""
    value = whole(bundle)
    value["inputs"] *= 2
    with pytest.raises(BundleError, match=r"inputs has 2 tensors, expected one"):
        read_manifest(value, "manifest.json")


@pytest.mark.parametrize("name", ["../model.onnx", "/etc/passwd", "a\\b", ".hidden"])
def test_a_file_outside_the_folder_is_refused(bundle: Bundle, name: str) -> None:
    """A manifest cannot point out of its bundle."""
    value = whole(bundle)
    value["files"][name] = "0" * 64
    with pytest.raises(BundleError, match=r"is not a plain file name"):
        read_manifest(value, "manifest.json")


def test_a_manifest_is_an_object(bundle: Bundle) -> None:
    """A list is told apart from an object that lacks everything."""
    with pytest.raises(BundleError, match=r"x: the whole file must be an object, not a list"):
        read_manifest([], "x")


def test_golden_windows_and_embedding_may_be_left_out() -> None:
    """A bundle in the making has neither yet."""
    value = {**tiny.manifest(), "embedding": None, "files": {"card.md": "0" * 64, "model.onnx": "0" * 64}}
    manifest = read_manifest(value, "x")
    assert manifest.golden == () and manifest.embedding is None  # type: ignore[union-attr]


FUSION_FAULTS = [
    ("method", "max", r"method is 'max', expected one of equal, logit_stack, mean_prob"),
    ("untrained", "yes", r"untrained must be true or false, not a text"),
    ("untrained", False, r"draws holds 0 draws, but untrained is false"),
    ("weights.eeg_emg", 0.7, r"weights are .*0\.7.*but the method equal is one half each"),
    ("weights.fmri", -0.1, r"weights\.fmri is -0\.1, expected a finite number from 0"),
    ("weights.gain", 1, r"weights\.gain is not a known key"),
    ("draws", [{"eeg_emg": 0.5, "fmri": 0.5, "bias": 0}], r"draws holds 1 draws, but untrained is true"),
    ("method", "logit_stack", r"untrained is true, which the method logit_stack cannot be"),
    ("bundles.fmri", "abc", r"bundles\.fmri is 'abc', expected a SHA-256 or null"),
    ("bundles.mri", None, r"bundles\.mri is not a known key"),
    ("bundles", None, r"bundles must be an object, not null"),
    ("n_min", 0, r"n_min is 0, expected at least 1"),
    ("aggregation", "x", r"aggregation is not a known key"),
]


@pytest.mark.parametrize(("path", "change", "words"), FUSION_FAULTS, ids=[fault[0] for fault in FUSION_FAULTS])
def test_a_wrong_key_of_a_fusion_is_refused_by_name(fusion: FusionBundle, path: str, change: Any, words: str) -> None:
    """A fusion's weights, draws and hashes are checked as a model's keys are."""
    with pytest.raises(BundleError, match=words):
        read_manifest(set_at(whole(fusion), path, change), "manifest.json")


def test_the_weights_of_a_mean_of_probabilities_sum_to_one(tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle) -> None:
    """And have no bias, those of each draw too; other methods need not."""
    stack = whole(tiny.fused(tmp_path, bundle, fmri_bundle, draws=2))
    mean = {**stack, "method": "mean_prob"}
    assert read_manifest(mean, "x").method == "mean_prob"  # type: ignore[union-attr]
    for path, change in (
        ("weights.eeg_emg", 0.7),
        ("weights.bias", 0.1),
        ("draws", [{"eeg_emg": 1, "fmri": 1, "bias": 0}]),
    ):
        with pytest.raises(BundleError, match=r"those of a mean of probabilities sum to 1, without a bias"):
            read_manifest(set_at(mean, path, change), "x")
        read_manifest(set_at(stack, path, change), "x")


def test_a_model_and_a_fusion_are_told_apart(bundle: Bundle, fusion: FusionBundle) -> None:
    """Naming one where the other belongs is answered with what it is."""
    with pytest.raises(
        BundleError, match=r"fusion-equal .* is a fusion bundle, expected a model.*kind eeg_emg or fmri"
    ):
        Bundle.load(fusion.path)
    with pytest.raises(BundleError, match=r"tiny 1\.0\.0 .* is a model, expected a fusion bundle.*kind fusion"):
        FusionBundle.load(bundle.path)


def test_a_bundle_is_found_by_path_and_missed_by_name(bundle: Bundle) -> None:
    """A folder is its own address; a name that nothing ships under is answered with those that do."""
    assert resolve_bundle(bundle.path) == resolve_bundle(str(bundle.path)) == bundle.path
    with pytest.raises(BundleError, match=r"There is no bundle 'no-such'.*Name a folder, or one of: "):
        resolve_bundle("no-such")


def test_the_stream_that_it_was_trained_on_fits(bundle: Bundle) -> None:
    """Every mains frequency of the training fits; kinds may be left to the labels."""
    bundle.check(**STREAM)
    bundle.check(**{**STREAM, "mains_hz": 60, "kinds": None})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (
            "labels",
            ("C4", "C3", "CP1", "EMG channel 12"),
            r"channels: the stream has C4, C3, CP1, EMG channel 12, .* was trained on C3, C4, CP1, RF",
        ),
        ("labels", ("C3", "C4"), r"channels: the stream has C3, C4, .*Record with the montage tiny4, or name a bundle"),
        ("kinds", ("eeg", "eeg", "emg", "emg"), r"kinds of channels: the stream has eeg, eeg, emg, emg"),
        ("rate_hz", 512.0, r"rate in Hz: the stream has 512, bundle tiny .* was trained on 1000\. Set the amplifier"),
        ("n_samples", 100, r"window in samples: the stream has 100, .* on 200"),
        ("fingerprint", "e" * 64, r"conditioning: the stream has eeeeeeeeeeee, .* on ffffffffffff"),
        ("mains_hz", 55.0, r"mains in Hz: the stream has 55, .* on 50, 60\. Set --mains"),
    ],
)
def test_another_stream_is_refused_with_both_sides_and_the_remedy(
    bundle: Bundle, key: str, value: Any, words: str
) -> None:
    """A bundle that does not fit is refused with words, never adapted (law 6); exit code 3."""
    with pytest.raises(BundleMismatch, match=words) as caught:
        bundle.check(**{**STREAM, key: value})
    assert caught.value.exit_code == 3


def test_an_fmri_bundle_scores_no_stream(fmri_bundle: Bundle) -> None:
    """Asked about a stream, it says what it is."""
    with pytest.raises(BundleMismatch, match=r"tiny-fmri .* is of kind fmri and scores no stream"):
        fmri_bundle.check(**STREAM)
