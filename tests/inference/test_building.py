"""Building: a bundle's folder, written so that it can be loaded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inference import building
from inference.building import with_golden, write_bundle, write_equal_fusion
from inference.bundle import Bundle, FusionBundle, load_bundle
from inference.engines.engine import Engine
from inference.engines.parity import GOLDEN_SET, settle
from inference.errors import BundleError
from tests.inference import tiny


def test_every_file_of_the_folder_is_hashed(tmp_path: Path) -> None:
    """What lies in the folder is the bundle; a file that is added later changes nothing."""
    bundle = tiny.write(tmp_path, tiny.manifest())
    assert set(bundle.model.head.files) == {"card.md", "model.onnx"}
    (tmp_path / "notes.txt").write_text("later")
    assert load_bundle(tmp_path).sha256 == bundle.sha256


def test_writing_twice_gives_the_same_bundle(tmp_path: Path) -> None:
    """The name of a bundle depends on what is in it alone."""
    assert tiny.write(tmp_path / "a", tiny.manifest()).sha256 == tiny.write(tmp_path / "b", tiny.manifest()).sha256


def test_a_manifest_that_cannot_be_loaded_is_refused_at_once(tmp_path: Path) -> None:
    """The builder learns of its mistake, not the ward."""
    (tmp_path / "card.md").write_text("# none")
    with pytest.raises(BundleError, match=r"name is missing"):
        write_bundle(tmp_path, {})


def test_golden_logits_are_filled_in_by_an_engine(bundle: Bundle, engine: Engine) -> None:
    """One entry for each golden window; a bundle with them is another bundle."""
    whole = with_golden(tiny.manifest(), engine, bundle)
    assert [(g["window"], g["seed"]) for g in whole["golden"]] == list(GOLDEN_SET)
    assert len(bundle.model.golden) == len(GOLDEN_SET)
    assert settle(engine.selfcheck()).largest == 0.0


def test_the_equal_fusion_holds_the_hashes_of_its_models(tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle) -> None:
    """Untrained, one half each, synthetic as soon as one of its models is."""
    fusion = write_equal_fusion(tmp_path / "new" / "fusion-equal", bundle, fmri_bundle)
    assert fusion.fusion.fitted_on == {"eeg_emg": bundle.sha256, "fmri": fmri_bundle.sha256}
    assert (fusion.fusion.method, fusion.fusion.untrained, fusion.fusion.draws) == ("equal", True, ())
    assert (fusion.fusion.n_min, fusion.fusion.n_ready, fusion.fusion.head.origin) == (2, 12, "synthetic")
    card = (fusion.path / "card.md").read_text()
    assert bundle.words in card and fmri_bundle.words in card and "Untrained" in card and "Research use only" in card


def test_the_equal_fusion_that_ships_is_rewritten_by_a_command(
    tmp_path: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m inference.building`, after a model was built anew; with the one of scans where it ships."""
    monkeypatch.setattr(building, "SHIPPED", tmp_path)
    monkeypatch.setattr(building, "resolve_bundle", lambda name: {"lstm-bands": bundle.path}[name])
    building.main()
    fusion = FusionBundle.load(tmp_path / "fusion-equal")
    assert json.loads((fusion.path / "manifest.json").read_text())["bundles"] == {
        "eeg_emg": bundle.sha256,
        "fmri": None,
    }
    assert fusion.words in capsys.readouterr().err
    tiny.write(tmp_path / "cnn-shufflenet", tiny.fmri_manifest())
    building.main()
    both = FusionBundle.load(tmp_path / "fusion-equal").fusion.fitted_on
    assert both == {"eeg_emg": bundle.sha256, "fmri": Bundle.load(tmp_path / "cnn-shufflenet").sha256}
