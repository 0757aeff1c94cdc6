"""Dress: in which language and theme a page is answered, so that it is right from its first pixel on.

A press on a page keeps both in cookies, which say nothing of anybody; the browser's own wish is next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.types import Scope

from dashboard.catalogue import LANGUAGES

LANGUAGE_COOKIE = "flexion-language"
THEME_COOKIE = "flexion-theme"
#: The themes that can be chosen; without a choice a page follows its device.
THEMES = ("light", "dark", "night")
#: What the query of a page may say of the language.
QUERY = "lang"
#: Seconds for which a choice is kept: a year.
KEPT_S = 365 * 86400


@dataclass(frozen=True)
class Dress:
    """How a page is dressed.

    Parameters
    ----------
    language : {"en", "zh"}
        Of its words.
    theme : {"auto", "light", "dark", "night"}
        Of its colours.
    asked : bool
        Whether the address itself named the language: then it is kept.
    other : str
        The query of the same page in the other language.
    """

    language: str
    theme: str = "auto"
    asked: bool = False
    other: str = ""


def dress_of(scope: Scope) -> Dress:
    """Return the dress that a request asks for."""
    headers = Headers(scope=scope)
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
    cookies = _cookies(headers.get("cookie", ""))
    asked = query.get(QUERY) in LANGUAGES
    language = query[QUERY] if asked else cookies.get(LANGUAGE_COOKIE, "")
    if language not in LANGUAGES:
        language = preferred(headers.get("accept-language", ""))
    theme = cookies.get(THEME_COOKIE, "")
    other = next(code for code in LANGUAGES if code != language)
    return Dress(language, theme if theme in THEMES else "auto", asked, urlencode({**query, QUERY: other}))


def preferred(accepted: str) -> str:
    """Return the language that a browser likes best of those that there are.

    Examples
    --------
    >>> [preferred(words) for words in ("zh-CN,zh;q=0.9,en;q=0.8", "fr, en;q=0.5, zh;q=0.3", "de", "")]
    ['zh', 'en', 'en', 'en']
    """
    wishes = []
    for place, wish in enumerate(accepted.split(",")):
        code, _, weight = wish.partition(";")
        wishes.append((-_weight(weight), place, code.strip().lower().split("-")[0]))
    return next((code for _, _, code in sorted(wishes) if code in LANGUAGES), next(iter(LANGUAGES)))


def _weight(words: str) -> float:
    try:
        return float(words.strip().removeprefix("q=")) if words else 1.0
    except ValueError:  # a header that no browser sends
        return 0.0


def _cookies(header: str) -> Mapping[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:  # another program's on the same host
        return {}
