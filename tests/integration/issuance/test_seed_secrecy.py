"""A phase's seed is made and committed before it opens, and is in nobody's hands before it has closed."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.issuance.campaigns.rules import seed_context
from services.issuance.lottery.rules import hmac_pads
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published, definition
from tests.support.citizens import Hands, fill_bank, give_chances, new_person
from tests.support.desk import Desk
from tests.support.http import serving
from tests.support.people import signed_in_staff

_TABLES = text("""
    SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables
    WHERE table_schema IN ('core', 'issuance', 'redemption', 'quota') AND table_type = 'BASE TABLE' ORDER BY 1
""")


@pytest.fixture(scope="module")
async def both(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    apps = {"issuance": issuance(settings, clock=clock), "console": console(settings, clock=clock)}
    async with serving(**apps) as client:
        yield client


def forms(secret: bytes) -> Iterator[str]:
    """How a secret may be written: hex (as bytea too), base64 of both kinds, Python's own."""
    yield secret.hex()
    yield base64.b64encode(secret).decode().rstrip("=")
    yield base64.urlsafe_b64encode(secret).decode().rstrip("=")
    yield repr(secret)


async def stored(kit: Kit) -> dict[str, str]:
    """Everything that any table holds, as text."""
    async with kit.database.transaction() as tx:
        tables = list((await tx.execute(_TABLES)).scalars())
        return {
            table: str((await tx.execute(text(f"SELECT string_agg(t::text, ' ') FROM {table} t"))).scalar())
            for table in tables
        }


async def read_everything(client: httpx.AsyncClient, slug: str, headers: dict[str, str]) -> dict[str, str]:
    """What every GET of both services and every page says to whoever has these headers."""
    answers = {}
    known = {"slug": slug, "seq": "1", "phase": "1"}
    for service in ("issuance", "console"):
        paths = (await client.get(f"/{service}/openapi.json")).json()["paths"]
        for path in [path for path, calls in paths.items() if "get" in calls]:
            url = re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], "1"), path)
            answers[url] = (await client.get(url, params={"campaign": slug}, headers=headers)).text
            answers[f"{url} plain"] = (await client.get(url, headers=headers)).text
    for url in ("/console", "/console/integrity", "/verify", "/issuance/metrics"):
        answers[url] = (await client.get(url, headers=headers)).text
    return answers


async def test_until_a_phase_has_closed_its_seed_is_nowhere_but_in_its_seal(
    both: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    desk = Desk(both, await signed_in_staff(kit, Role.OPERATOR), await signed_in_staff(kit, Role.ADMIN))
    body = definition(clock.now(), odds="0.5", lasts=timedelta(hours=3))
    with capture_logs() as logged:
        proposed = await desk.propose("/issuance/v1/campaigns", body)
        assert (await desk.approve(proposed)).status_code == 200
        async with kit.database.snapshot() as tx:
            row = (
                await tx.execute(
                    text(
                        "SELECT p.id, p.campaign_id, p.seed_sealed, p.seed_commitment, p.seed_revealed"
                        " FROM issuance.phase p JOIN core.campaign c ON c.id = p.campaign_id"
                        " WHERE c.slug = :slug"
                    ),
                    {"slug": body["slug"]},
                )
            ).one()
        seed = kit.keys.sealer.open(row.seed_sealed, context=seed_context(row.id))
        assert (len(seed), row.seed_revealed) == (32, None)
        assert hashlib.sha256(seed).hexdigest() == row.seed_commitment
        secrets = [form for secret in (seed, *hmac_pads(seed)) for form in forms(secret)]
        # The commitment is public an hour before the phase opens.
        audit = (await both.get(f"/issuance/v1/campaigns/{body['slug']}/draw-audit")).json()["phases"][0]
        assert (audit["seed_commitment"], audit["seed"]) == (row.seed_commitment, None)

        opens_at = clock.now() + timedelta(hours=1)
        campaign = Published(row.campaign_id, body["slug"], (UUID(str(row.id)),), opens_at, opens_at)
        await fill_bank(kit, campaign)
        clock.set(opens_at + timedelta(seconds=1))
        hands = Hands(both, await new_person(kit))
        await give_chances(kit, hands.person, campaign, 3)
        drawn = [(await hands.draw(campaign.slug, client_seed="x")).text for _ in range(3)]
        odds = f"/issuance/v1/campaigns/{campaign.slug}/phases/1/odds"
        await desk.approve(await desk.propose(odds, {"odds": "0.4", "reason": "测试"}))
        clock.set(opens_at + timedelta(hours=2, minutes=59))
        told = {"draws": " ".join(drawn)}
        for role in (Role.OPERATOR, Role.ADMIN, Role.AUDITOR):
            answers = await read_everything(both, campaign.slug, await signed_in_staff(kit, role))
            told |= {f"{role} {url}": answer for url, answer in answers.items()}
    assert sum(campaign.slug in answer for answer in told.values()) > 10
    told |= {"the logs": str(logged), **await stored(kit)}
    assert [place for place, content in told.items() if any(form in content for form in secrets)] == []

    clock.set(opens_at + timedelta(hours=3, seconds=10))
    audit = (await both.get(f"/issuance/v1/campaigns/{campaign.slug}/draw-audit")).json()["phases"][0]
    assert audit["seed"] == seed.hex()
    assert [table for table, content in (await stored(kit)).items() if seed.hex() in content] == [
        "issuance.phase"
    ]
