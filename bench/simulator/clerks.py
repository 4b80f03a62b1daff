"""The bureau's clerks: one proposes, another approves, and both load what the programmes need."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.simulator.crowd import at_once
from bench.simulator.platform import Platform, bearer
from bench.simulator.times import PlatformTime

Progress = Callable[[int], None]

_CLOCK_FOLLOWED_SECONDS = 1.0
# So many forms of a directory are entered at the same time.
_ENTRIES_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Clerks:
    platform: Platform
    first: dict[str, str]
    second: dict[str, str]
    time: PlatformTime = field(default_factory=PlatformTime)

    async def proposed(self, service: str, path: str, body: object) -> str:
        """Proposes a change, which waits for the other clerk; returns its id."""
        change = (await self.platform.post(f"/{service}/v1/{path}", body, headers=self.first)).body
        return str(change["change_id"])

    async def approved(self, service: str, path: str, body: object) -> str:
        """Proposes a change and has the other clerk approve it; returns the change's id."""
        change_id = await self.proposed(service, path, body)
        await self.platform.post(f"/{service}/v1/changes/{change_id}/approve", {}, headers=self.second)
        return change_id

    async def move_clock(self, moment: datetime) -> None:
        """Returns when every process follows: the contract gives them one second."""
        await self.platform.post("/console/v1/demo/clock", {"now": moment.isoformat()}, headers=self.first)
        self.time.shows(moment)
        await asyncio.sleep(_CLOCK_FOLLOWED_SECONDS)

    async def clock(self) -> datetime:
        """The platform's present time (demo mode)."""
        told = await self.platform.get("/console/v1/demo/clock", headers=self.first)
        moment = datetime.fromisoformat(told["now"])
        self.time.shows(moment)
        return moment

    async def load_campaign(self, definition: dict[str, Any], questions: Sequence[dict[str, Any]]) -> None:
        """Publishes the campaign (the directory is no part of it) and fills its question bank."""
        body = {key: value for key, value in definition.items() if key != "institution_directory"}
        await self.approved("issuance", "campaigns", body)
        path = f"/issuance/v1/campaigns/{definition['slug']}/questions"
        await self.platform.post(path, {"questions": list(questions)}, headers=self.first)

    async def load_institutions(
        self, campaign: str, directory: Sequence[dict[str, Any]], progress: Progress
    ) -> list[str]:
        """Enters the directory; returns the institutions' ids in its order."""
        ids = [""] * len(directory)

        async def enter(place: int) -> None:
            body = {**directory[place], "campaign": campaign}
            made = await self.platform.post("/redemption/v1/institutions", body, headers=self.first)
            ids[place] = str(made.body["id"])
            progress(1)

        await at_once(range(len(directory)), enter, concurrent=_ENTRIES_AT_ONCE)
        return ids

    async def activation_code(self, institution_id: str, label: str) -> str:
        made = await self.platform.post(
            f"/redemption/v1/institutions/{institution_id}/terminals", {"label": label}, headers=self.first
        )
        return str(made.body["activation_code"])

    async def integrity(self) -> dict[str, Any]:
        report: dict[str, Any] = await self.platform.get("/console/v1/integrity", headers=self.first)
        return report


async def sign_in(platform: Platform, username: str, password: str) -> dict[str, str]:
    session = await platform.post("/console/v1/sessions", {"username": username, "password": password})
    return bearer(session.body["access_token"])


async def clerks_of(platform: Platform, *, username: str, password: str) -> Clerks:
    """Signs the administrator in and makes a second clerk, so that there are four eyes."""
    first = await sign_in(platform, username, password)
    other = {"username": f"clerk-{secrets.token_hex(4)}", "password": f"Zx9-{secrets.token_urlsafe(16)}"}
    await platform.post("/console/v1/staff", {**other, "roles": ["operator"]}, headers=first)
    return Clerks(platform, first, await sign_in(platform, other["username"], other["password"]))
