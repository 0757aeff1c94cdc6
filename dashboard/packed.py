"""Packed: pages, scripts and styles as gzip for browsers that unpack it. Never waves or events: they cannot wait.

A file is packed once and kept until it changes. It has a tag of its own there: to a cache, what is packed and what is
not are two things. Comments stay behind, a third of what there is; lines keep their numbers. What others wrote is sent
as they wrote it, with its licence.
"""

from __future__ import annotations

import gzip
import os
import re
from functools import lru_cache
from pathlib import Path

from fastapi.responses import FileResponse, Response
from starlette.datastructures import Headers
from starlette.types import Scope

#: Kinds of files that are text; pictures are packed already.
TEXT = ("text/", "application/javascript", "image/svg+xml")
#: Packed files that are kept: more than there are.
FILES_KEPT = 256

#: Folder of what others wrote.
VENDOR = "vendor"

#: Comments that have their lines to themselves: of several lines, and of one where the language has those.
_BLOCK = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*$", re.DOTALL | re.MULTILINE)
_LINE = re.compile(r"^[ \t]*//.*$", re.MULTILINE)
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[^,]*)?(?:,|$)")


def unpacks(scope: Scope) -> bool:
    """Tell whether whoever asks unpacks gzip.

    Examples
    --------
    >>> asked = lambda words: unpacks({"type": "http", "headers": [(b"accept-encoding", words)]})
    >>> [asked(words) for words in (b"gzip, deflate", b"br;q=1, gzip;q=0.5", b"gzip;q=0", b"br", b"")]
    [True, True, False, False, False]
    """
    return bool(_GZIP.search(Headers(scope=scope).get("accept-encoding", "")))


def pack_file(answer: FileResponse, stat: os.stat_result) -> Response:
    """Return the answer with a file's packed bytes in the file's place; one that is no text is left as it is."""
    if not str(answer.media_type).startswith(TEXT):
        return answer
    body = _packed(str(answer.path), stat.st_mtime_ns, stat.st_size)
    tag = f'"{answer.headers["etag"].strip(chr(34))}-gzip"'
    return Response(body, answer.status_code, {"etag": tag, "content-encoding": "gzip"}, answer.media_type)


def pack(answer: Response) -> None:
    """Pack the body of an answer that was made just now."""
    answer.body = gzip.compress(answer.body, mtime=0)
    answer.headers.update({"content-encoding": "gzip", "content-length": str(len(answer.body))})


@lru_cache(maxsize=FILES_KEPT)
def _packed(path: str, mtime_ns: int, size: int) -> bytes:
    file = Path(path)
    if VENDOR in file.parts or file.suffix not in (".js", ".css"):
        return gzip.compress(file.read_bytes(), mtime=0)
    return gzip.compress(bare(file.read_text(encoding="utf-8"), file.suffix).encode(), mtime=0)


def bare(text: str, suffix: str) -> str:
    r"""Return a script or style without the comments that have their lines to themselves; the lines stay, empty.

    Examples
    --------
    >>> bare('/** Why. */\n/** One */ a(); /** two\n */\nb("//"); // how\n  // what\n', ".js").split("\n")
    ['', '/** One */ a(); /** two', ' */', 'b("//"); // how', '', '']
    """
    without = _BLOCK.sub(lambda match: "\n" * match[0].count("\n"), text)
    return _LINE.sub("", without) if suffix == ".js" else without
