"""Packed: pages, scripts and styles as gzip for browsers that unpack it. Never waves or events: they cannot wait.

A file is packed once and kept until it changes. It has a tag of its own there: to a cache, what is packed and what is
not are two things.
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
    named = {"etag": tag, "last-modified": answer.headers["last-modified"], "content-encoding": "gzip"}
    return Response(body, answer.status_code, named, answer.media_type)


def pack(answer: Response) -> None:
    """Pack the body of an answer that was made just now."""
    answer.body = gzip.compress(answer.body, mtime=0)
    answer.headers.update({"content-encoding": "gzip", "content-length": str(len(answer.body))})


@lru_cache(maxsize=FILES_KEPT)
def _packed(path: str, mtime_ns: int, size: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), mtime=0)
