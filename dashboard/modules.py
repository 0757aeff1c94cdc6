"""Modules: what the scripts of a page import, read from the files, so that a browser asks for all of them at once.

Without it a browser learns of each module from the one that imports it: one way there and back for every step.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

#: What the addresses of the scripts begin with.
STATIC = "/static/"

_ENTRY = re.compile(rf'<script type="module" src="{STATIC}([^"]+)">')
_IMPORT = re.compile(r'^(?:import|export)\s[^"=;(]*"(\.\.?/[^"]+)"', re.MULTILINE)
_END = "</head>"


def preload(page: str, folder: Path) -> str:
    """Return a page with a link to every module that its scripts import, directly or not.

    Parameters
    ----------
    page : str
        Its HTML; one without scripts is returned as it is.
    folder : Path
        What ``/static/`` stands for.
    """
    entries = _ENTRY.findall(page)
    names = [name for name in modules_of(entries, folder) if name not in entries]
    links = "".join(f'  <link rel="modulepreload" href="{STATIC}{name}">\n' for name in names)
    return page.replace(_END, links + _END, 1)


def modules_of(entries: list[str], folder: Path) -> list[str]:
    """Return the names of all modules of some entries, themselves first, each once."""
    names = list(dict.fromkeys(entries))
    for name in names:  # it grows meanwhile
        names += [found for found in _imports(name, folder) if found not in names]
    return names


def _imports(name: str, folder: Path) -> list[str]:
    script = (folder / name).read_text(encoding="utf-8")
    here = posixpath.dirname(name)
    return list(dict.fromkeys(posixpath.normpath(posixpath.join(here, path)) for path in _IMPORT.findall(script)))
