"""Preparation whole: the same slices from the same head, however it is stored; what is wrong with it is said."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from acquisition.simulator import Patient
from inference.errors import BundleError, ScanError
from inference.fmri.preparation import PreparationSpec, Prepared, prepare, to_volume
from inference.fmri.slices import IMAGENET_MEAN, IMAGENET_SD
from tests.inference.fmri import heads
from training.simulated.bold import write_scan
from training.simulated.lesion import NODE_MM
from training.simulated.phantom import Phantom, ScanSpec
from training.simulated.sites import sites_of

#: Quicker than 224 pixels of 1 mm, and as wide.
SPEC = PreparationSpec(mm_per_pixel=3.5, size=64)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Return a small head, prepared."""
    return prepare(heads.write(tmp_path_factory.mktemp("scan")), SPEC)


def values(prepared: Prepared) -> np.ndarray:
    """Return a prepared scan's values from 0 to 1, without what ImageNet's networks are used to."""
    sd, mean = (np.array(three).reshape(3, 1, 1) for three in (IMAGENET_SD, IMAGENET_MEAN))
    return np.asarray(prepared.slices * sd + mean)


def test_a_scan_becomes_slices(prepared: Prepared) -> None:
    """Shapes, types and order are those that a network asks for."""
    n = len(prepared.indices)
    assert prepared.slices.shape == (n, 3, 64, 64) and prepared.slices.dtype == np.float32
    assert prepared.slices.flags.c_contiguous
    assert n == prepared.quality.n_slices >= 7 and (np.diff(prepared.indices) == 1).all()
    np.testing.assert_allclose(prepared.level_mm, 10.0 * (prepared.indices - 7.0), atol=1e-3)
    assert (prepared.quality.flags, prepared.quality.problems) == (
        ("Volumes that are used: 20; at least 60 expected.",),
        (),
    )
    assert prepared.fingerprint == SPEC.fingerprint
    scaled = values(prepared)
    assert scaled.min() == pytest.approx(0, abs=1e-6) and scaled.max() <= 1 + 1e-6
    np.testing.assert_allclose(scaled[:, 0], scaled[:, 2], atol=1e-6)


def test_the_first_volumes_are_left_out(tmp_path: Path, prepared: Prepared) -> None:
    """They are brighter, as the tissue is not saturated yet: nothing of them is seen."""
    data = heads.course()
    data[..., :5] *= 1.5
    again = prepare(heads.write(tmp_path, data), SPEC)
    np.testing.assert_array_equal(again.slices, prepared.slices)
    assert again.scan_sha256 != prepared.scan_sha256


@pytest.mark.parametrize("codes", ["LAS", "RPS", "PIL"])
def test_however_it_is_stored_the_slices_are_the_same(tmp_path: Path, prepared: Prepared, codes: str) -> None:
    """Left is left: the bits of the slices do not depend on the order of a file's axes."""
    image = heads.image(heads.course())
    turn = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(image.affine), nibabel.orientations.axcodes2ornt(codes)
    )
    path = tmp_path / "scan.nii"
    nibabel.save(image.as_reoriented(turn), path)
    np.testing.assert_array_equal(prepare(path, SPEC).slices, prepared.slices)


def test_the_patients_right_is_on_the_right(prepared: Prepared) -> None:
    """The bright spot in the right half of the brain lies right of the middle; the front is brighter, and up."""
    image = values(prepared)[list(prepared.indices).index(8), 0]
    _, column = np.unravel_index(np.argmax(image), image.shape)
    assert column > 36
    middle = image[:, 30]
    inside = np.flatnonzero(middle > 0.01)
    assert middle[inside[4]] > middle[inside[-4]]


def test_what_is_laid_back_lies_in_the_scan(prepared: Prepared) -> None:
    """A map of the slices' brightness, laid back, follows the mean volume, in slices that count alone."""
    back = to_volume(values(prepared)[:, 0].astype(np.float32), prepared)
    assert back.shape == prepared.mean.shape and back.dtype == np.float32
    chosen = np.zeros(back.shape[2], bool)
    chosen[prepared.indices] = True
    assert not back[:, :, ~chosen].any()
    inside = prepared.mask & chosen
    assert np.corrcoef(back[inside], prepared.mean[inside])[0, 1] > 0.8


def test_a_coarse_map_of_ones_covers_the_brain(prepared: Prepared) -> None:
    """Of any resolution: 7 x 7 is what a network's last map has."""
    back = to_volume(np.ones((len(prepared.indices), 7, 7), np.float32), prepared)
    inside = prepared.mask.copy()
    inside[:, :, np.setdiff1d(np.arange(back.shape[2]), prepared.indices)] = False
    np.testing.assert_allclose(back[inside], 1.0, rtol=1e-6)


@pytest.fixture(scope="module")
def functional(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Return a simulated head with resting fluctuations, prepared by the functional recipe."""
    path = tmp_path_factory.mktemp("scan") / "sub-1_bold.nii.gz"
    spec = ScanSpec((32, 32, 18), (6.875, 6.875, 7.8), n_volumes=120)
    write_scan(path, Patient(2.0, 3, effect=2.0), sites_of(1, 1)[0], spec)
    return prepare(path, replace(SPEC, recipe="functional"))


def test_slow_fluctuations_are_seen_in_the_motor_nodes(functional: Prepared) -> None:
    """The second channel, laid back, is brighter at the simulated node than in the brain; the third is another map."""
    head = Phantom.of(Patient(2.0, 3, effect=2.0), ScanSpec((32, 32, 18), (6.875, 6.875, 7.8)))
    near = ((head.at_mm - NODE_MM.reshape(3, 1, 1, 1)) ** 2).sum(axis=0)[::-1] < 8.0**2
    alff = to_volume(values(functional)[:, 1].astype(np.float32), functional)
    chosen = alff[:, :, functional.indices]
    inside = functional.mask[:, :, functional.indices]
    assert chosen[near[:, :, functional.indices] & inside].mean() > chosen[inside].mean() + 0.15
    assert not np.allclose(functional.slices[:, 0], functional.slices[:, 2], atol=0.1)
    assert functional.origin == "synthetic"


def test_recipes_share_the_first_channel_and_the_slices(tmp_path: Path, prepared: Prepared) -> None:
    """Both see the mean; what counts is the same."""
    other = prepare(heads.write(tmp_path, tr=3.0), replace(SPEC, recipe="functional"))
    np.testing.assert_array_equal(other.slices[:, 0], prepared.slices[:, 0])
    assert other.fingerprint != prepared.fingerprint


@pytest.mark.parametrize(
    ("changes", "spec", "words"),
    [
        ({}, replace(SPEC, drop_volumes=11), "has 25 volumes, 14 without the first 11; 15 are needed"),
        ({"tr": 0.0}, replace(SPEC, recipe="functional"), "does not say how long a volume took"),
        (
            {"tr": 0.4},
            replace(SPEC, recipe="functional", drop_volumes=10),
            "too short for slow fluctuations: 15 volumes",
        ),
    ],
)
def test_what_cannot_be_prepared_is_refused(
    tmp_path: Path, changes: dict[str, Any], spec: PreparationSpec, words: str
) -> None:
    """In one line that names the file."""
    path = heads.write(tmp_path, **changes)
    with pytest.raises(ScanError, match=words) as caught:
        prepare(path, spec)
    assert path.name in str(caught.value) and caught.value.remedy


def test_a_scan_too_long_for_slow_fluctuations_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held grows with its frequencies; its mean alone is prepared."""
    monkeypatch.setattr("inference.fmri.preparation.LONGEST_S", 90.0)
    path = heads.write(tmp_path, tr=5.0)
    with pytest.raises(ScanError, match="took 2 min, expected 1.5 at most"):
        prepare(path, replace(SPEC, recipe="functional"))
    assert prepare(path, SPEC).quality.problems == ()


def test_a_scan_of_nothing_is_refused(tmp_path: Path) -> None:
    """Noise alone holds no brain."""
    noise = np.random.default_rng(0).uniform(0, 100, (20, 20, 16, 20))
    matrix = heads.affine(noise.shape, (4.0, 4.0, 4.0))
    with pytest.raises(ScanError, match="holds nothing that looks like a brain"):
        prepare(heads.write(tmp_path, noise, affine=matrix), SPEC)


def cropped() -> np.ndarray:
    """Return volumes whose upper half is missing."""
    return heads.course()[:, :, :8]


def swapped() -> np.ndarray:
    """Return volumes whose axes are not the ones that their affine says."""
    return heads.course().swapaxes(0, 1)


@pytest.mark.parametrize(
    ("data", "changes", "words"),
    [
        (cropped(), {}, "The brain goes on beyond the field of view"),
        (swapped(), {}, "a brain is longest from front to back"),
        (heads.course(), {"affine": heads.affine(voxel_mm=(5.0, 5.0, 5.0))}, "ml, expected 700 to 2100"),
    ],
    ids=["cropped", "wrong axes", "wrong voxels"],
)
def test_what_must_not_be_scored_says_why(
    tmp_path: Path, data: np.ndarray, changes: dict[str, Any], words: str
) -> None:
    """A cropped brain, or an affine that is wrong though it agrees with itself."""
    quality = prepare(heads.write(tmp_path, data, **changes), SPEC).quality
    assert any(words in problem for problem in quality.problems), quality


def test_a_head_that_moves_is_seen(tmp_path: Path) -> None:
    """A shift of a voxel in every other volume is a problem."""
    data = heads.course()
    data[..., ::2] = np.roll(data[..., ::2], 1, axis=1)
    quality = prepare(heads.write(tmp_path, data), SPEC).quality
    assert quality.fd_mean_mm == pytest.approx(10.0, rel=0.3) and "The head moved" in quality.problems[0]


@pytest.mark.parametrize(
    "change",
    [{"recipe": "functional"}, {"drop_volumes": 4}, {"mm_per_pixel": 1.1}, {"screen_share": 0.6}, {"size": 256}],
)
def test_every_setting_is_in_the_fingerprint(change: dict[str, Any]) -> None:
    """Other slices have another name, and a manifest gives the settings back."""
    other = replace(PreparationSpec(), **change)
    assert other.fingerprint != PreparationSpec().fingerprint
    assert PreparationSpec.from_json(other.to_json()) == other


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe": "median"}, "expected one of mean, functional"),
        ({"drop_volumes": -1}, "drop_volumes"),
        ({"screen_share": 0.0}, "makes no sense"),
        ({"size": 100}, "100 pixels of 1 mm are 100 mm, a head needs 200"),
        ({"fingerprint": "0" * 64}, "fingerprint is 000000000000, this version prepares slices as"),
        ({"smooth": 1}, "is not a known key"),
    ],
)
def test_a_preparation_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    """In a manifest by its key; in the program as a wrong value."""
    with pytest.raises(BundleError, match=words):
        PreparationSpec.from_json(PreparationSpec().to_json() | change, "manifest.json")


def test_a_recipe_that_does_not_exist_is_a_wrong_value() -> None:
    """Settings that are made in the program are checked as well."""
    with pytest.raises(ValueError, match="recipe is 'median'"):
        PreparationSpec(recipe="median")  # type: ignore[arg-type]


def test_nothing_is_loaded_before_a_scan_is_read() -> None:
    """A process that only knows of scans, such as the aggregator, loads neither scipy nor nibabel nor torch."""
    code = "import sys, inference.fmri.preparation; sys.exit(bool({'scipy', 'nibabel', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
