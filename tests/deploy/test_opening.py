"""Opening: what is written down before a session runs."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from acquisition.errors import IdentityError
from acquisition.montage import load_montage
from deploy.opening import Models, Plan, bound_bundles, entry_of, versions
from deploy.settings import ModelSettings, changed
from inference.errors import BundleError, BundleMismatch

PLAN = Plan("live", "live", "P1", "B1", load_montage("amp16"), {"kind": "lsl"}, planned_s=540.0)


def test_a_session_is_bound_to_its_bundles(models):
    """By name, version, hash and origin, with the conditioning's fingerprint (law 6)."""
    info = PLAN.to_info(models)
    assert info.bundles["eeg_emg"] == models.eeg_emg.to_json()
    assert info.bundles["fmri"] is None
    assert info.fingerprint == models.eeg_emg.signal.fingerprint
    assert info.versions == versions()
    assert entry_of(info).session == info.session != PLAN.to_info(models).session


def test_a_montage_that_the_model_does_not_know_is_refused(models):
    """Nothing is adapted silently."""
    with pytest.raises(BundleMismatch, match="channels: the stream has"):
        replace(PLAN, montage=load_montage("eeg16")).to_info(models)


@pytest.mark.parametrize("names", [{"patient": "Jane Doe"}, {"bed": "../B1"}])
def test_a_name_that_is_no_pseudonym_is_refused(models, names):
    """It becomes part of paths and keys."""
    with pytest.raises(IdentityError, match="is not allowed"):
        replace(PLAN, **names).to_info(models)


def test_bundles_are_found_again_by_their_hash(models, settings, tmp_path):
    """A session is read with the bundles that it was bound to, not with those of today."""
    info = PLAN.to_info(models)
    eeg_emg, fusion, fmri = bound_bundles(info, settings.models)
    assert (eeg_emg.sha256, fusion.sha256, fmri) == (models.eeg_emg.sha256, models.fusion.sha256, None)
    assert bound_bundles(PLAN.to_info(None), settings.models) == (None, None, None)


def test_a_session_is_bound_to_the_bundle_of_scans(scan_models, scan_settings):
    """All three are found again by their hashes; one of another kind is refused in its place."""
    info = PLAN.to_info(scan_models)
    assert info.bundles["fmri"] == scan_models.fmri.to_json()
    assert [bundle.sha256 for bundle in bound_bundles(info, scan_settings.models)] == [
        scan_models.eeg_emg.sha256, scan_models.fusion.sha256, scan_models.fmri.sha256,
    ]  # fmt: skip
    wrong = changed(scan_settings, {"models.fmri": str(scan_models.eeg_emg.path)}).models
    with pytest.raises(BundleMismatch, match=r"is of kind eeg_emg and scores no scan\. Name a bundle of kind fmri\."):
        Models.load(wrong)
    lacking = changed(scan_settings, {"models.fmri": scan_settings.models.fusion}).models
    with pytest.raises(BundleError, match=r"bound to bundle standin .* is not on this machine.*FLEXION_MODELS__FMRI"):
        bound_bundles(info, lacking)


def test_a_bundle_that_is_gone_is_named(models, settings, tmp_path):
    """The refusal says which one is missing, and how to name it."""
    from tests.inference import tiny

    other = tmp_path / "other"
    shutil.copytree(models.eeg_emg.path, other)
    (other / "card.md").write_text("# another\n")
    (other / "manifest.json").unlink()
    tiny.write_bundle(other, tiny.manifest())
    lacking: ModelSettings = changed(settings, {"models.eeg_emg": str(other)}).models
    with pytest.raises(BundleError, match="The session is bound to bundle tiny 1.0.0 .* which is not on this machine"):
        bound_bundles(PLAN.to_info(models), lacking)
