"""Where the pages and their scripts lie, and how they are answered."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path

from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.datastructures import Headers
from starlette.staticfiles import NotModifiedResponse, PathLike, StaticFiles
from starlette.types import Receive, Scope, Send

from dashboard.catalogue import LANGUAGES, words_of
from dashboard.dress import KEPT_S, LANGUAGE_COOKIE, Dress, dress_of
from dashboard.modules import preload
from dashboard.packed import pack, pack_file, unpacks

PAGES = Path(__file__).parent / "pages"
STATIC = Path(__file__).parent / "static"
#: A browser asks each time whether its copy is still good: an upgrade is seen at once, and nothing is sent twice.
FRESH = {"Cache-Control": "no-cache"}
#: What the colours of the browser's own parts are in each theme.
SCHEMES = {"auto": "light dark", "light": "light", "dark": "dark", "night": "dark"}
#: In which media the dark colours, and those of the night, hold; paper is always light.
DARK = {"auto": "screen and (prefers-color-scheme: dark)", "light": "not all", "dark": "screen", "night": "screen"}
NIGHT = {"auto": "not all", "light": "not all", "dark": "not all", "night": "screen"}

_PART = re.compile(r"^ *\{\{> (\w+)\}\}\n", re.MULTILINE)
_PLACE = re.compile(r"\{\{([\w.]+)\}\}")


def page(name: str, status: HTTPStatus = HTTPStatus.OK, language: str | None = None) -> Page:
    """Return a page of this package, in the language and theme that its reader wishes, or in a language of its own."""
    return Page(name, status, language)


class Page(Response):
    """A page that is written when it is sent: only then it is known who asks.

    Parameters
    ----------
    name : str
        Of the file.
    status : HTTPStatus
        Of the answer.
    language : {"en", "zh"}, optional
        In which it is whoever asks.
    """

    def __init__(self, name: str, status: HTTPStatus, language: str | None) -> None:
        super().__init__(status_code=status)
        self._name = name
        self._status = status
        self._language = language

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Write the page and send it."""
        dress = dress_of(scope)
        answer = HTMLResponse(render(self._name, dress, self._language), self._status, FRESH)
        answer.headers["Vary"] = "Cookie, Accept-Language, Accept-Encoding"
        if unpacks(scope):
            pack(answer)
        if dress.asked and self._language is None:
            answer.set_cookie(LANGUAGE_COOKIE, dress.language, max_age=KEPT_S, samesite="lax")
        await answer(scope, receive, send)


def render(name: str, dress: Dress, language: str | None = None) -> str:
    """Return a page's text with its words in their places.

    Raises
    ------
    KeyError
        If the page names a word that the catalogue lacks.
    """
    words = words_of(language or dress.language)
    places = {
        "dress.language": language or dress.language,
        "dress.theme": dress.theme,
        "dress.scheme": SCHEMES[dress.theme],
        "dress.dark": DARK[dress.theme],
        "dress.night": NIGHT[dress.theme],
        "dress.other": dress.other,
        "dress.words": LANGUAGES[language or dress.language],
        "dress.themed": words["page.theme"].replace("{theme}", words[f"page.themes.{dress.theme}"]),
    }
    return _PLACE.sub(lambda match: html.escape(_word(match[1], places, words)), _text(name))


def _word(path: str, places: Mapping[str, str], words: Mapping[str, str]) -> str:
    return places[path] if path in places else words[path]


@cache
def _text(name: str) -> str:
    """Return a page's file with the parts that it shares with others, and links to all that its scripts need."""
    text = (PAGES / name).read_text(encoding="utf-8")
    whole = _PART.sub(lambda match: (PAGES / "parts" / f"{match[1]}.html").read_text(encoding="utf-8"), text)
    return preload(whole, STATIC)


def scripts() -> StaticFiles:
    """Return the folder of scripts and styles."""
    return _Fresh(directory=STATIC)


class _Fresh(StaticFiles):
    """Files that a browser asks for each time."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """Answer with the file, packed where it can be, or with word that the browser's copy is still good."""
        plain = FileResponse(full_path, status_code, stat_result=stat_result)
        response = pack_file(plain, stat_result) if unpacks(scope) else plain
        response.headers.update({**FRESH, "Vary": "Accept-Encoding"})
        if self.is_not_modified(response.headers, Headers(scope=scope)):
            return NotModifiedResponse(response.headers)
        return response
