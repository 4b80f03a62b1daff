"""The short way of hot requests: recognised by their path before the framework looks at them.

The framework's layers and its walk through a service's hundred routes cost more CPU than a hot handler
(docs/benchmarks.md); behind the edge, which both ways share, a hot route needs none of them.
"""

import re
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.http.hot import HotRoute

_PARAMETER = re.compile(r"\{(\w+)\}")


class _Template:
    """A path with parameters, such as `/awards/{award_id}/claim`."""

    def __init__(self, route: HotRoute) -> None:
        parts = list(enumerate(route.path.split("/")))
        named = [(place, _PARAMETER.fullmatch(part)) for place, part in parts]
        self.route = route
        self.length = len(parts)
        self._named = [(place, found.group(1)) for place, found in named if found]
        self._fixed = [pair for pair, (_, found) in zip(parts, named, strict=True) if not found]

    def parameters(self, given: list[str]) -> dict[str, str] | None:
        """What stands where the parameters are; None for another path. A parameter is never empty."""
        if len(given) != self.length or any(given[place] != part for place, part in self._fixed):
            return None
        found = {name: given[place] for place, name in self._named}
        return found if all(found.values()) else None


class HotLane:
    """The hot routes of one app; as an ASGI application it answers the requests that it took."""

    def __init__(self, routes: Iterable[HotRoute]) -> None:
        routes = list(routes)
        self._templates = [_Template(route) for route in routes if _PARAMETER.search(route.path)]
        self._plain = {route.path: route for route in routes if not _PARAMETER.search(route.path)}

    def takes(self, scope: Scope) -> bool:
        """Whether the request is for a hot route; if so, the scope names it and its parameters."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return False
        route = self._plain.get(scope["path"])
        if route is not None:
            scope["route"], scope["path_params"] = route, {}
            return True
        given = scope["path"].split("/")
        for template in self._templates:
            parameters = template.parameters(given)
            if parameters is not None:
                scope["route"], scope["path_params"] = template.route, parameters
                return True
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = await scope["route"].endpoint(Request(scope, receive, send))
        await response(scope, receive, send)
