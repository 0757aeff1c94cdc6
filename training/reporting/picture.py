"""A picture of pixels that stands in a page without a file beside it."""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import RunError

#: How a PNG begins; its width and height follow as two numbers of four bytes.
SIGNATURE, SIZE_AT = b"\x89PNG\r\n\x1a\n", 16


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes
    ----------
    png : bytes
        The file.
    alt : str
        What is to be seen, for whoever cannot see it.
    caption : str
        What stands below it.
    """

    png: bytes
    alt: str
    caption: str

    @classmethod
    def read(cls, folder: Path, panel: Mapping[str, Any]) -> Picture:
        """Return the picture that an evaluation names.

        Parameters
        ----------
        folder : Path
            Of the run.
        panel : mapping
            ``file`` within it, ``alt`` and ``caption``.

        Raises
        ------
        RunError
            If the file is missing or no PNG.
        """
        path = folder / str(panel["file"])
        remedy = "Make it again: flexion evaluate RUN."
        try:
            png = path.read_bytes()
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}.", subject=str(path), remedy=remedy) from error
        if not png.startswith(SIGNATURE) or len(png) < SIZE_AT + 8:
            raise RunError(f"{path} is no PNG.", subject=str(path), remedy=remedy)
        return cls(png, str(panel["alt"]), str(panel["caption"]))

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(struct.unpack_from(">II", self.png, SIZE_AT)[0])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(struct.unpack_from(">II", self.png, SIZE_AT)[1])

    @property
    def source(self) -> str:
        """The picture as an address that holds it."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode()}"
