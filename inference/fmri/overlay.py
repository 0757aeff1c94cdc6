"""Overlay: where the image model looked, as pictures for people and as a NIfTI map for other programs.

The slice with the strongest attention comes first, with its level in mm. Both signs are shown: warm where a cell pushed
towards the better outcome, cold where it pushed away from it. The picture says how coarse it is, and how far such maps
follow what the model learned.

For a screen that lays one over the other, the slices and where the model looked are on a sheet of their own each, from
below, `COLUMNS` side by side: who looks at the scan is not shown the model's opinion unasked.
"""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inference.fmri.gradcam import upsample
from inference.fmri.score import ScanScore

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

#: What a map shows, in the only words that it may be called by.
TITLE = "Where the image model looked"
#: Slices side by side, pixels between them, those of the text above the sheet, and of one line.
COLUMNS, GAP, HEAD, LINE = 5, 8, 64, 18
#: How much of the colour shows where attention is strongest.
OPACITY = 0.6
#: Towards the better outcome, and away from it; told apart by the colour-blind too.
TOWARDS, AWAY = (255, 140, 0), (0, 110, 255)
BACKGROUND, INK = (16, 16, 16), (235, 235, 235)
#: Size of the letters in pixels.
LETTERS = 14
#: What the NIfTI map says of itself; 79 bytes is all that its header holds.
DESCRIPTION = b"where the image model looked: above 0 towards the better outcome; research use"


def sheet(score: ScanScore) -> bytes:
    """Return the picture of all slices, that with the strongest attention first, as PNG.

    Every slice has the same scale of colour: full at the strongest cell of the scan.
    """
    from PIL import Image, ImageDraw

    prepared, order = score.prepared, score.attention.order
    size = prepared.slices.shape[-1]
    n_columns = min(COLUMNS, len(order))
    n_rows = -(-len(order) // n_columns)
    width, height = n_columns * (size + GAP) + GAP, HEAD + n_rows * (size + LINE + GAP)
    picture = Image.new("RGB", (width, height), BACKGROUND)
    draw = ImageDraw.Draw(picture)
    _write(draw, GAP, 6, heading(score))
    for place, (i, panel) in enumerate(zip(order, panels(score), strict=True)):
        x, y = GAP + place % n_columns * (size + GAP), HEAD + place // n_columns * (size + LINE + GAP)
        _write(draw, x, y, [f"{place + 1}. level {prepared.level_mm[i]:+.0f} mm"])
        picture.paste(Image.fromarray(panel), (x, y + LINE))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def heading(score: ScanScore) -> list[str]:
    """Return the lines above the sheet: what it is, how to read it, how far to trust it."""
    sanity = score.bundle.image.sanity
    return [
        f"{TITLE}. Orange: towards the better outcome; blue: away from it. Left of the picture is the patient's left.",
        f"One cell is {cell_mm(score):.0f} mm. Maps of the same network with weights drawn anew correlate with its own "
        f"by {sanity.correlation:.2f} ({sanity.n_slices} slices).",
        f"{score.bundle.words}, origin {score.origin}. Research use: not for diagnosis.",
    ]


def cell_mm(score: ScanScore) -> float:
    """Return how wide one cell of the model's attention is, in mm."""
    return float(score.prepared.grid.mm_per_pixel * score.prepared.slices.shape[-1] / score.attention.signed.shape[-1])


def panels(score: ScanScore) -> NDArray[np.uint8]:
    """Return the slices with their attention over them, shape (n, size, size, 3), in the order of attention."""
    order = score.attention.order
    grey = _grey(score.prepared.slices[order, 0])
    colour, strength = _coloured(score)
    share = OPACITY * strength[order, ..., np.newaxis]
    return np.asarray(np.rint((1.0 - share) * grey[..., np.newaxis] + share * colour[order]), np.uint8)


def underlay(score: ScanScore) -> bytes:
    """Return the slices alone, from below, on one sheet without gaps, as PNG in grey."""
    return _png(np.rint(_grey(score.prepared.slices[:, 0])))


def focus(score: ScanScore) -> bytes:
    """Return where the model looked alone, laid out as `underlay`, as PNG.

    Opaque where it looked most, clear where it did not; every slice has the same scale of opacity.
    """
    colour, strength = _coloured(score)
    return _png(np.concatenate([colour, np.rint(255.0 * strength)[..., np.newaxis]], axis=-1))


def nifti(score: ScanScore) -> bytes:
    """Return the map as a packed NIfTI file with the affine of the scan, right, front and top up.

    One signed volume: above 0 towards the better outcome, below 0 away from it; 0 in slices that do not count.
    """
    import nibabel

    image = nibabel.Nifti1Image(score.looked, score.prepared.affine)  # type: ignore[no-untyped-call]
    image.header["descrip"] = DESCRIPTION
    image.header.set_xyzt_units("mm")  # type: ignore[no-untyped-call]
    return gzip.compress(image.to_bytes(), mtime=0)  # without a time in it: the same map is the same file


def _coloured(score: ScanScore) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the colour, shape (n, size, size, 3), and the strength, 0 to 1, of every pixel, in the order of slices."""
    signed = upsample(score.attention.signed, score.prepared.slices.shape[-1])
    strongest = max(np.abs(score.attention.signed).max(), np.finfo(np.float64).tiny)
    colour = np.where((signed > 0.0)[..., np.newaxis], TOWARDS, AWAY).astype(np.float64)
    return colour, np.minimum(np.abs(signed) / strongest, 1.0)


def _png(slices: NDArray[np.float64]) -> bytes:
    """Return slices of shape (n, size, size) or (n, size, size, 4) on one sheet, `COLUMNS` side by side."""
    from PIL import Image

    n, size = slices.shape[:2]
    rows = -(-n // COLUMNS)
    whole = np.zeros((rows * COLUMNS, *slices.shape[1:]), np.uint8)
    whole[:n] = slices
    grid = whole.reshape(rows, COLUMNS, size, size, -1).swapaxes(1, 2).reshape(rows * size, COLUMNS * size, -1)
    out = io.BytesIO()
    Image.fromarray(grid.squeeze(axis=-1) if grid.shape[-1] == 1 else grid).save(out, "PNG", optimize=True)
    return out.getvalue()


def _grey(channel: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the brightness, 0 to 255, of the first channel of slices; each slice from its darkest to its brightest."""
    low, high = channel.min(axis=(1, 2), keepdims=True), channel.max(axis=(1, 2), keepdims=True)
    return np.asarray(255.0 * (channel - low) / np.where(high > low, high - low, 1.0), np.float64)


def _write(draw: ImageDraw, x: int, y: int, lines: list[str]) -> None:
    from PIL import ImageFont

    font = ImageFont.load_default(LETTERS)
    for i, line in enumerate(lines):
        draw.text((x, y + i * LINE), line, fill=INK, font=font)
