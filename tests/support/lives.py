"""A person's life over HTTP, with personal data that is known, so that it can be searched for."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from shared.clock import ManualClock
from shared.identity.citizens import CitizenTokens
from shared.ids import HotId
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, Person, fill_bank, give_chances
from tests.support.people import resident_id
from tests.support.pictures import photo
from tests.support.ways import LEAD, Partaker, channels

NAME = "欧阳测试娜"
PHONE = "13987654321"
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Life:
    """Somebody with a voucher, an open award, chances that are left, and a lead with a photo that waits."""

    hands: Hands
    code: str
    identity: dict[str, str]
    campaign: Published
    voucher: dict[str, Any]
    award_id: str
    lead_id: str

    @property
    def id_number(self) -> str:
        return self.identity["id_number"]

    async def erase(self, client: httpx.AsyncClient | None = None) -> httpx.Response:
        headers = self.hands.person.headers
        return await (client or self.hands.client).delete("/issuance/v1/me", headers=headers)


def _person(kit: Kit, token: str) -> Person:
    citizen = CitizenTokens(kit.keys.token).read(token, kit.clock.now())
    return Person(HotId(citizen.bucket, citizen.person_id), citizen, {"Authorization": f"Bearer {token}"})


async def signed_in(client: httpx.AsyncClient, kit: Kit, code: str) -> tuple[Person, dict[str, Any]]:
    answer = await client.post("/issuance/v1/sessions", json={"provider": "demo", "code": code})
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    return _person(kit, session["access_token"]), session


async def bound(client: httpx.AsyncClient, kit: Kit, person: Person, identity: dict[str, str]) -> Person:
    """The person as it stands once its identity is known."""
    answer = await client.put("/issuance/v1/me/identity", json=identity, headers=person.headers)
    assert answer.status_code == 200, answer.text
    session = answer.json()["session"]
    return person if session is None else _person(kit, session["access_token"])


async def lived(
    client: httpx.AsyncClient,
    kit: Kit,
    clock: ManualClock,
    *,
    keep_award: bool = True,
    **parts: Any,  # noqa: ANN401 - any part of a definition
) -> Life:
    """Identity, quiz, a lead with a photo and a phone number, a win that was claimed, one that was not."""
    number = next(_numbers)
    settings: dict[str, Any] = {"quiz": {"attempts_per_day": 2}, "odds": "1", "channels": channels()}
    campaign = await open_campaign(kit, clock, **settings | parts)
    await fill_bank(kit, campaign)
    code = f"life-{number}"
    identity = {
        "name": NAME,
        "id_type": "resident_id",
        "id_number": resident_id(60_000 + number),
        "consent_version": "2020-11",
    }
    person, _ = await signed_in(client, kit, code)
    hands = Hands(client, await bound(client, kit, person, identity))
    await hands.pass_quiz(campaign.slug)
    partaker = Partaker(client, hands.person)
    evidence = LEAD | {
        "description": f"{LEAD['description']}联系人{NAME}，电话{PHONE}。",
        "photos": [await partaker.photo(photo(number))],
    }
    lead_id = await partaker.send(campaign.slug, "lead", evidence)
    await give_chances(kit, hands.person, campaign, 2)
    award_id = await hands.win(campaign.slug)
    claimed = await hands.claim(award_id, "fitness")
    assert claimed.status_code == 201, claimed.text
    if keep_award:
        await hands.win(campaign.slug)
    return Life(hands, code, identity, campaign, claimed.json(), award_id, lead_id)
