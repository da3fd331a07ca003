"""Answers that a client may keep: each carries an ETag and becomes 304 when nothing changed."""

import hashlib
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from pydantic import BaseModel

from store.evidence_items import File

# How the description of a route says that it answers with a file.
FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "The file"}
}


def etag_of(data: bytes) -> str:
    """Return the strong entity tag of a body."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def tagged(
    request: Request, data: bytes, media_type: str, cache_control: str = "private, no-cache"
) -> Response:
    """Answer with a body, or with 304 when the client has just this one."""
    etag = etag_of(data)
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if _matches(request.headers.get("if-none-match", ""), etag):
        return Response(status_code=304, headers=headers)
    return Response(data, media_type=media_type, headers=headers)


def tagged_json(request: Request, body: BaseModel) -> Response:
    """Answer with a model as JSON, or with 304 when the client has just this one."""
    return tagged(request, body.model_dump_json().encode(), "application/json")


def saved(file: File) -> Response:
    """Answer with a file that is to be saved: a browser never shows what somebody handed over."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Cache-Control": "no-store",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)


def _matches(offered: str, etag: str) -> bool:
    candidates = (candidate.strip().removeprefix("W/") for candidate in offered.split(","))
    return any(candidate in (etag, "*") for candidate in candidates)
