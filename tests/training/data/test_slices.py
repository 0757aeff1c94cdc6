"""A patient's slices are the bedside's own, made once and kept; what they rest on decides whether they still hold."""

from __future__ import annotations

import os
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from acquisition.errors import BadEnvironment
from inference.errors import ScanError
from inference.fmri.preparation import PreparationSpec, prepare
from tests.training.scans import scanned_cohort  # noqa: F401 (a fixture)
from training.cohort.cohort import Cohort
from training.data.slices import LeftOut, PatientSlices, cache_folder, prepare_slices
from training.watching import Nobody

SPEC = PreparationSpec(screen_share=0.8)


class Hears(Nobody):
    """Remembers who was told, and whether it was made."""

    def __init__(self) -> None:
        self.n, self.told = 0, []

    def begins(self, n_patients: int) -> None:
        self.n = n_patients

    def has(self, found: PatientSlices | LeftOut, made: bool) -> None:
        self.told.append((found.patient, found.why if isinstance(found, LeftOut) else len(found), made))


@pytest.fixture
def trio(scanned_cohort: Path, tmp_path: Path) -> Cohort:  # noqa: F811
    """Return three patients of the cohort, in a folder of their own."""
    whole = Cohort.open(scanned_cohort)
    some = whole.participants[:3]
    for one in some:
        shutil.copytree(scanned_cohort / f"sub-{one.id}" / "func", tmp_path / f"sub-{one.id}" / "func")
    return replace(whole, folder=tmp_path, participants=some)


def same(one: PatientSlices, other: PatientSlices) -> bool:
    """Tell whether two patients are the same to the bit."""
    arrays = ("index", "level_mm", "slices")
    plain = {key: value for key, value in vars(one).items() if key not in arrays}
    return plain == {key: value for key, value in vars(other).items() if key not in arrays} and all(
        np.array_equal(getattr(one, key), getattr(other, key)) for key in arrays
    )


def test_they_are_the_bedside_s_own_slices(trio):
    """Bit for bit, with what is known of scan and patient beside them (law 1)."""
    found = prepare_slices(trio, SPEC)
    assert list(found) == [one.id for one in trio.participants]
    for one in trio.participants:
        prepared, patient = prepare(trio.scans(one.id)[0], SPEC), found[one.id]
        assert np.array_equal(patient.slices, prepared.slices) and patient.slices.dtype == np.float32
        assert np.array_equal(patient.index, prepared.indices) and np.array_equal(patient.level_mm, prepared.level_mm)
        assert (patient.quality, patient.parameters) == (prepared.quality, prepared.parameters)
        assert (patient.fingerprint, patient.scan_sha256) == (SPEC.fingerprint, prepared.scan_sha256)
        assert (patient.good, patient.fma, patient.origin) == (one.good, one.outcome_fma, "synthetic")
        assert len(patient) == len(patient.slices) == len(patient.weights) > 4


def test_they_are_made_once_and_mapped(trio):
    """The second time nothing is made; a process that is given them reads the same file."""
    first, again = Hears(), Hears()
    made = prepare_slices(trio, SPEC, watcher=first)
    kept = prepare_slices(trio, SPEC, watcher=again)
    assert first.n == again.n == 3
    assert [told[2] for told in first.told] == [True] * 3 and [told[2] for told in again.told] == [False] * 3
    for name, one in kept.items():
        assert same(one, made[name])
        assert isinstance(one.slices, np.memmap)
        sent = pickle.dumps(one)
        assert len(sent) < 20_000 and same(pickle.loads(sent), one)


@pytest.mark.timeout(240)
def test_the_number_of_processes_changes_no_bit(trio):
    """Nor does it matter who made them."""
    alone = prepare_slices(trio, SPEC)
    shutil.rmtree(cache_folder(trio.folder, SPEC))
    together = prepare_slices(trio, SPEC, workers=2)
    assert all(same(one, together[name]) for name, one in alone.items())


def other_scan(folder: Path, trio: Cohort) -> None:
    """Give the first patient the scan of the second."""
    one, other = (trio.scans(one.id)[0] for one in trio.participants[:2])
    shutil.copy(other, one)


def other_sidecar(folder: Path, trio: Cohort) -> None:
    """Say something more beside the scan."""
    path = trio.scans(trio.participants[0].id)[0]
    path.with_name(path.name.replace(".nii.gz", ".json")).write_text('{"RepetitionTime": 2.0}')


def torn_facts(folder: Path, trio: Cohort) -> None:
    """Cut the small file."""
    path = folder / f"{trio.participants[0].id}.npz"
    path.write_bytes(path.read_bytes()[:200])


def torn_rows(folder: Path, trio: Cohort) -> None:
    """Cut the large file."""
    (path,) = folder.glob(f"{trio.participants[0].id}_x-*")
    os.truncate(path, 5000)


def fewer_rows(folder: Path, trio: Cohort) -> None:
    """Put another patient's slices there."""
    (path,) = folder.glob(f"{trio.participants[0].id}_x-*")
    np.save(path, np.load(path)[1:])


@pytest.mark.parametrize("change", [other_scan, other_sidecar, torn_facts, torn_rows, fewer_rows])
def test_what_is_stale_or_torn_is_made_anew(trio, change: Callable[[Path, Cohort], None]):
    """Of that patient alone; the stale file is gone."""
    prepare_slices(trio, SPEC)
    change(cache_folder(trio.folder, SPEC), trio)
    hears = Hears()
    found = prepare_slices(trio, SPEC, watcher=hears)
    assert [told[2] for told in hears.told] == [True, False, False]
    first = trio.participants[0].id
    assert np.array_equal(found[first].slices, prepare(trio.scans(first)[0], SPEC).slices)
    assert len(list(cache_folder(trio.folder, SPEC).glob(f"{first}_x-*"))) == 1


def test_another_preparation_has_a_folder_of_its_own(trio):
    """Neither takes the other's slices."""
    mean, functional = prepare_slices(trio, SPEC), prepare_slices(trio, replace(SPEC, recipe="functional"))
    first = trio.participants[0].id
    assert mean[first].fingerprint != functional[first].fingerprint
    assert not np.array_equal(mean[first].slices, functional[first].slices)
    assert len(list((trio.folder / "derivatives" / "flexion").iterdir())) == 2


def test_a_scan_that_must_not_be_used_is_told_and_left_out(trio):
    """Also where that is kept: too few slices count."""
    few = replace(SPEC, screen_share=1.0)
    for made in (True, False):
        hears = Hears()
        assert prepare_slices(trio, few, watcher=hears) == {}
        assert [told[2] for told in hears.told] == [made] * 3
        assert all(told[1].startswith("Slices that count: ") for told in hears.told)


def test_patients_without_an_outcome_or_a_scan_have_none(trio):
    """Nothing is prepared for them."""
    first, second, _ = trio.participants
    shutil.rmtree(trio.folder / f"sub-{second.id}")
    people = (replace(first, fma_3mo=None, fma_by_day={}), *trio.participants[1:])
    hears = Hears()
    assert list(prepare_slices(replace(trio, participants=people), SPEC, watcher=hears)) == [people[2].id]
    assert hears.n == 1


def test_of_several_scans_the_first_at_rest_is_taken(trio):
    """They are never pooled, and a task that sorts before it is not taken for it."""
    one, other, _ = (trio.scans(one.id)[0] for one in trio.participants)
    shutil.copy(other, one.with_name(one.name.replace("_bold", "_run-2_bold")))
    shutil.copy(other, one.with_name(one.name.replace("task-rest", "task-fingertap")))
    found = prepare_slices(trio, SPEC)[trio.participants[0].id]
    assert np.array_equal(found.slices, prepare(one, SPEC).slices)


def empty_head(path: Path) -> None:
    """Leave nothing but a faint box in every volume."""
    image = nib.load(path)
    volumes = np.zeros(image.shape, np.int16)
    volumes[4:6, 4:6, 4:6] = 100
    nib.save(nib.Nifti1Image(volumes, image.affine, image.header), path)


def no_volumes(path: Path) -> None:
    """Keep fewer volumes than make a mean."""
    image = nib.load(path)
    nib.save(image.slicer[..., :8], path)


def cut(path: Path) -> None:
    """Cut the file."""
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("change", [empty_head, no_volumes, cut])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_scan_that_cannot_be_prepared_leaves_out_its_patient_alone(trio, change, workers):
    """The words are the bedside's own; a scan that was mended is prepared the next time."""
    first, second, third = (one.id for one in trio.participants)
    path = trio.scans(second)[0]
    sound = path.read_bytes()
    change(path)
    with pytest.raises(ScanError) as refused:
        prepare(path, SPEC)
    hears = Hears()
    assert list(prepare_slices(trio, SPEC, workers=workers, watcher=hears)) == [first, third]
    assert (second, refused.value.message, True) in hears.told
    path.write_bytes(sound)
    assert list(prepare_slices(trio, SPEC)) == [first, second, third]


def test_a_functional_recipe_leaves_out_who_has_no_repetition_time(trio):
    """Slow fluctuations have no frequency without one."""
    path = trio.scans(trio.participants[1].id)[0]
    path.with_name(path.name.replace(".nii.gz", ".json")).unlink(missing_ok=True)
    image = nib.load(path)
    image.header.set_zooms((*image.header.get_zooms()[:3], 0.0))
    nib.save(image, path)
    hears = Hears()
    found = prepare_slices(trio, replace(SPEC, recipe="functional"), watcher=hears)
    assert trio.participants[1].id not in found and len(found) == 2
    assert "does not say how long a volume took" in str(hears.told[1][1])
    assert len(prepare_slices(trio, SPEC)) == 3
    (trio.folder / "task-rest_bold.json").write_text('{"RepetitionTime": 2.0}')
    for _ in range(2):
        stated = prepare_slices(trio, replace(SPEC, recipe="functional"))
        assert stated[trio.participants[1].id].parameters.tr_s == 2.0 and len(stated) == 3


def test_what_the_top_of_the_cohort_says_decides_whether_slices_still_hold(trio):
    """Where it adds nothing the slices that are kept stay."""
    prepare_slices(trio, SPEC)
    for content, made in (("{}", False), ('{"EchoTime": 0.03}', True), ('{"EchoTime": 0.03}', False)):
        (trio.folder / "task-rest_bold.json").write_text(content)
        hears = Hears()
        prepare_slices(trio, SPEC, watcher=hears)
        assert [told[2] for told in hears.told] == [made] * 3


def test_a_clinical_cohort_of_simulated_scans_is_synthetic(trio):
    """The scan says so itself."""
    found = prepare_slices(replace(trio, origin="clinical"), SPEC)
    assert {one.origin for one in found.values()} == {"synthetic"}


def test_a_folder_that_takes_nothing_is_refused(trio):
    """The words name patient and folder."""
    (trio.folder / "derivatives").write_text("a file where a folder should be")
    with pytest.raises(BadEnvironment, match=r"does not take the slices of patient \d+"):
        prepare_slices(trio, SPEC)


def test_a_disk_that_takes_no_more_is_refused(trio, monkeypatch):
    """What was there before stays."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.data.slices.write_mapped", full)
    with pytest.raises(BadEnvironment, match="slices of patient .*: No space left on device"):
        prepare_slices(trio, SPEC)
