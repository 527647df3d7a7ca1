"""A request of the bot as the routes work on it, and its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from tests.wire.faults import RefusedError


@dataclass(frozen=True)
class Request:
    """What a route works on."""

    parameters: dict[str, str]
    query: dict[str, str]
    payload: Any
    files: dict[str, bytes]
    """Uploads by name, in order."""

    def id(self, name: str) -> int:
        """A parameter that is an id."""
        if not self.parameters[name].isdigit():
            raise RefusedError(400, 50035, f"{self.parameters[name]} is not an id")
        return int(self.parameters[name])


Work = Callable[[Request], object]
"""What a route does: what it returns is sent as JSON, None as 204. Raises RefusedError."""


def json_response(data: object, status: int, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as discord.py takes it: with nothing behind its content type, such as a charset."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


async def read(request: web.Request) -> Request:
    """Read JSON, or JSON with files as multipart."""
    payload: Any = {}
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        reader = await request.multipart()
        while isinstance(part := await reader.next(), BodyPartReader):
            if part.name == "payload_json":
                payload = json.loads(await part.read())
            else:
                files[part.filename or ""] = bytes(await part.read())
    elif request.can_read_body:
        payload = await request.json()
    return Request(dict(request.match_info), dict(request.query), payload, files)
