"""One entry, few steps: from the first opening to a voucher in hand, counted call by call over HTTP.

The published report names two apps and too many steps; this is the figure that says how many there are.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.simulator.persons import resident_id
from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import open_campaign
from tests.support.citizens import fill_bank, request_no, right_answers
from tests.support.http import serving

CALLS_MAX = 6


@dataclass(slots=True)
class MiniProgram:
    """Knows what the platform has told it, and counts what it asks after signing in."""

    client: httpx.AsyncClient
    token: str = ""
    calls: list[str] = field(default_factory=list)

    async def opened(self) -> dict[str, Any]:
        """The page that everybody sees before they sign in: public, and cached on its way."""
        [campaign] = (await self.client.get("/issuance/v1/campaigns")).json()["items"]
        found: dict[str, Any] = campaign
        return found

    async def sign_in(self, code: str) -> bool:
        """Whether the person is known already."""
        body = {"provider": "demo", "code": code}
        answer = await self.client.post("/issuance/v1/sessions", json=body)
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["access_token"]
        return bool(answer.json()["citizen"]["identity_verified"])

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        self.calls.append(f"{method} {path}")
        answer = await self.client.request(
            method, f"/issuance/v1{path}", json=body, headers={"Authorization": f"Bearer {self.token}"}
        )
        assert answer.status_code in {200, 201}, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def to_a_voucher(self, *, known: bool) -> dict[str, Any]:
        """The text behind the QR code that the till reads."""
        campaign = await self.opened()
        slug, wanted = campaign["slug"], campaign["voucher_types"][0]["key"]
        assert await self.sign_in("somebody") is known
        if not known:
            identity = {"name": "王小明", "id_type": "resident_id", "id_number": resident_id(7)}
            await self.ask("PUT", "/me/identity", identity | {"consent_version": "2020-11"})
        attempt = await self.ask("POST", f"/campaigns/{slug}/quiz-attempts", {"request_no": request_no()})
        answers = {"request_no": request_no(), "answers": right_answers(attempt)}
        marked = await self.ask("POST", f"/quiz-attempts/{attempt['attempt_id']}/answers", answers)
        assert marked["chances_granted"] == 1
        drawn = await self.ask("POST", f"/campaigns/{slug}/draws", {"request_no": request_no()})
        claim = {"request_no": request_no(), "voucher_type": wanted}
        voucher = await self.ask("POST", f"/awards/{drawn['award']['id']}/claim", claim)
        assert voucher["voucher_type"] == wanted
        return await self.ask("GET", f"/me/vouchers/{voucher['id']}/token")


async def test_a_voucher_is_in_hand_after_at_most_six_calls(
    settings: Settings, kit: Kit, clock: ManualClock
) -> None:
    """Identity, quiz, answers, draw, claim, token; whoever comes back needs one less."""
    campaign = await open_campaign(kit, clock, odds=1)
    await fill_bank(kit, campaign)
    async with serving(issuance=create_app(settings, clock=clock)) as client:
        first = MiniProgram(client)
        token = await first.to_a_voucher(known=False)
        assert token["token"]
        assert len(first.calls) <= CALLS_MAX, first.calls
        again = MiniProgram(client)
        await again.to_a_voucher(known=True)
        assert len(again.calls) < CALLS_MAX, again.calls
