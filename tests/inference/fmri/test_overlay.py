"""The picture and the map of where the image model looked."""

from __future__ import annotations

import gzip
import io
from dataclasses import replace

import nibabel
import numpy as np
from PIL import Image

from inference.fmri import overlay
from inference.fmri.gradcam import Attention
from inference.fmri.score import ScanScore


def test_the_sheet_shows_every_slice(scored: ScanScore) -> None:
    """Five in a row, below three lines that say what it is; the same score is the same picture."""
    picture = Image.open(io.BytesIO(overlay.sheet(scored)))
    rows = -(-len(scored.logits) // overlay.COLUMNS)
    row = 224 + overlay.GAP
    assert picture.size == (5 * row + overlay.GAP, overlay.HEAD + rows * (row + overlay.LINE))
    assert overlay.sheet(scored) == overlay.sheet(scored)
    text = np.asarray(picture)[: overlay.HEAD]
    assert (text == overlay.INK).all(axis=-1).sum() > 500


def test_the_heading_says_how_far_to_trust_it(scored: ScanScore) -> None:
    """Its words, its coarseness, the sanity check, the origin."""
    title, trust, whose = overlay.heading(scored)
    assert title.startswith("Where the image model looked.")
    assert "One cell is 32 mm" in trust and "drawn anew correlate with its own by 0.10 (20 slices)" in trust
    assert "origin synthetic" in whose and "not for diagnosis" in whose


def test_panels_come_in_the_order_of_attention_with_both_signs(scored: ScanScore) -> None:
    """Warm towards the better outcome, cold away from it, grey where nothing was looked at."""
    signed = np.zeros_like(scored.attention.signed)
    signed[3, 0, 0], signed[1, 6, 6] = 1.0, -2.0
    panels = overlay.panels(replace(scored, attention=Attention(signed, scored.logits))).astype(int)
    cold, warm, grey = panels[0][-5, -5], panels[1][5, 5], panels[2]
    assert cold[2] > cold[0] and warm[0] > warm[2]
    assert (grey[..., 0] == grey[..., 2]).all()
    assert (panels[0][5, 5][0] == panels[0][5, 5][2]).all()


def test_without_any_attention_nothing_is_coloured(scored: ScanScore) -> None:
    """No cell moved any logit."""
    nowhere = Attention(np.zeros_like(scored.attention.signed), scored.logits)
    panels = overlay.panels(replace(scored, attention=nowhere))
    assert (panels[..., 0] == panels[..., 2]).all()
    assert (replace(scored, attention=nowhere).in_brain == 0).all()


def test_slices_and_attention_lie_on_sheets_of_their_own(scored: ScanScore) -> None:
    """From below, five in a row, the same place on both; one over the other is the panel that the picture has."""
    signed = np.zeros_like(scored.attention.signed)
    signed[3, 0, 0], signed[1, 6, 6] = 1.0, -2.0
    marked = replace(scored, attention=Attention(signed, scored.logits))
    under = np.asarray(Image.open(io.BytesIO(overlay.underlay(marked))), float)
    focus = np.asarray(Image.open(io.BytesIO(overlay.focus(marked))), float)
    rows = -(-len(scored.logits) // overlay.COLUMNS)
    assert under.shape == (rows * 224, overlay.COLUMNS * 224) and focus.shape == (*under.shape, 4)
    assert focus[..., 3].max() == 255 and (focus[..., 3] > 0).any(axis=1).sum() <= 224
    for i, panel in zip(marked.attention.order, overlay.panels(marked), strict=True):
        y, x = i // overlay.COLUMNS * 224, i % overlay.COLUMNS * 224
        alpha = overlay.OPACITY * focus[y : y + 224, x : x + 224, 3:] / 255
        laid = (1 - alpha) * under[y : y + 224, x : x + 224, np.newaxis] + alpha * focus[y : y + 224, x : x + 224, :3]
        assert np.abs(laid - panel).max() <= 2.0


def test_the_map_lies_where_the_scan_lies(scored: ScanScore) -> None:
    """Its affine, its shape, both signs, and what it is; the same score is the same file."""
    content = overlay.nifti(scored)
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    np.testing.assert_allclose(image.affine, scored.prepared.affine, atol=1e-4)
    assert image.shape == scored.prepared.mean.shape and image.get_data_dtype() == np.float32
    assert (np.asarray(image.dataobj) == scored.looked).all()
    assert bytes(image.header["descrip"]).startswith(b"where the image model looked")
    assert len(overlay.DESCRIPTION) <= 79 and overlay.nifti(scored) == content


def test_the_map_is_in_the_place_of_the_cell(scored: ScanScore) -> None:
    """A cell in front on the patient's left is found there, in mm."""
    signed = np.zeros_like(scored.attention.signed)
    signed[2, 0, 0] = 1.0
    looked = replace(scored, attention=Attention(signed, scored.logits)).looked
    place = np.array(np.unravel_index(np.argmax(looked), looked.shape))
    x_mm, y_mm, z_mm = (scored.prepared.affine @ [*place, 1.0])[:3]
    assert x_mm < -80 and y_mm > 80 and abs(z_mm - scored.prepared.level_mm[2]) < 0.1
