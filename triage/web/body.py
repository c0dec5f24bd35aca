"""Request bodies under a limit: what is too large is cut off while it comes in, never kept."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from triage.web.problems import RefusalError

_FORM_LIMIT_BYTES = 64 << 10
_FORM_FIELDS = 200


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The whole body, at most `limit_bytes` (inclusive); raises RefusalError (413) beyond."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit_bytes:
        raise too_large(limit_bytes)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit_bytes:
            raise too_large(limit_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form, trimmed, empty ones left out. Raises RefusalError when it is none."""
    body = await read_body(request, _FORM_LIMIT_BYTES)
    try:
        pairs = parse_qsl(body.decode(), max_num_fields=_FORM_FIELDS, errors="strict")
    except (UnicodeDecodeError, ValueError):
        again = "The form could not be read; go back and try again."
        raise RefusalError(400, "Not a form", again) from None
    return {name: value.strip() for name, value in pairs if value.strip()}


def too_large(limit_bytes: int) -> RefusalError:
    """413, and the connection ends: whatever else is coming is not read."""
    return RefusalError(
        413,
        "Too large",
        f"The limit is {limit_bytes} bytes. Leave out images and documents; if it is urgent, "
        "telephone the desk.",
        headers={"Connection": "close"},
    )
