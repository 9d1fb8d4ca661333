"""HTTP/1.1 on a socket: reads one request, writes one response. Only what the lab's clients send.

Bounds: a head of 64 KB and a body of 4 MB, so that nothing a client sends can fill the memory.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from kvaudit.lab.http import Request, Response

MAX_HEAD = 64 * 1024
MAX_BODY = 4 * 1024 * 1024
_REASONS = {int(status): status.phrase for status in HTTPStatus}


class WireError(Exception):
    """The peer does not speak HTTP/1.1 as the lab understands it, or sends too much."""


@dataclass(frozen=True, slots=True)
class Head:
    """First line and headers of a request, header names casefolded."""

    method: str
    target: str
    headers: dict[str, str]


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The head of the next request; None when the peer closed the connection before one."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as stop:
        if not stop.partial:
            return None
        raise WireError("the connection ended within a head") from stop
    except asyncio.LimitOverrunError as stop:
        raise WireError("the head is too long") from stop
    lines = raw.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise WireError("the first line is not that of an HTTP/1.1 request")
    headers = {}
    for line in lines[1:]:
        name, separator, value = line.partition(":")
        if separator:
            headers[name.strip().casefold()] = value.strip()
    return Head(words[0].upper(), words[1], headers)


async def read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    """The body that follows a head, by length or in chunks."""
    if "chunked" in headers.get("transfer-encoding", "").casefold():
        return await _read_chunks(reader)
    length = int(headers.get("content-length") or 0)
    if not 0 <= length <= MAX_BODY:
        raise WireError("the body is too long")
    return await reader.readexactly(length) if length else b""


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readline()).split(b";")[0].strip() or b"0", 16)
        if size == 0:
            await reader.readline()
            return bytes(body)
        if len(body) + size > MAX_BODY:
            raise WireError("the body is too long")
        body += await reader.readexactly(size)
        await reader.readexactly(2)


def request_of(head: Head, body: bytes, host: str) -> Request:
    """The request that a face sees."""
    target = head.target
    if "://" in target[:8]:
        target = "/" + target.split("://", 1)[1].partition("/")[2]
    path, _, query = target.partition("?")
    return Request(
        method=head.method,
        host=host,
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=head.headers,
        body=body,
        raw_target=target,
    )


def response_bytes(response: Response, body: bytes, *, head_only: bool = False) -> bytes:
    """A response on the wire. A HEAD request gets the headers that GET would have, and no body.

    Args:
        body: of the response, encoded.
    """
    lines = [f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Status')}"]
    given = {name.casefold() for name in response.headers}
    if body and "content-type" not in given:
        lines.append("Content-Type: application/json; charset=utf-8")
    lines.append(f"Content-Length: {len(body)}")
    lines.extend(f"{name}: {value}" for name, value in response.headers.items())
    encoded = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return encoded if head_only else encoded + body
