"""Where the pages and their scripts lie, and how they are answered."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi.responses import FileResponse, Response
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

PAGES = Path(__file__).parent / "pages"
STATIC = Path(__file__).parent / "static"
#: A browser asks each time whether its copy is still good: an upgrade is seen at once, and nothing is sent twice.
FRESH = {"Cache-Control": "no-cache"}


def page(name: str) -> FileResponse:
    """Return a page of this package."""
    return FileResponse(PAGES / name, headers=FRESH)


def scripts() -> StaticFiles:
    """Return the folder of scripts and styles."""
    return _Fresh(directory=STATIC)


class _Fresh(StaticFiles):
    """Files that a browser asks for each time."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with the file, or with word that the browser's copy is still good."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(FRESH)
        return response
