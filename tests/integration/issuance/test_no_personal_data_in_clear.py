"""A whole life, then a search: what people told us stands in clear in no table, log, job or Redis key."""

import base64
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterable

import httpx
import pytest
import structlog
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.issuance.app import create_app
from services.issuance.wiring import build
from services.issuance.worker import parts
from services.redemption.app import create_app as create_redemption
from services.redemption.wiring import build as build_redemption
from services.redemption.worker import parts as redemption_parts
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers import catalogue
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.http import serving
from tests.support.lives import NAME, PHONE, Life, lived
from tests.support.people import signed_in_staff
from tests.support.tills import bureau
from tests.support.ways import LEAD, Partaker, reviewed, rows

TABLES = """
    SELECT schemaname || '.' || tablename FROM pg_tables
    WHERE schemaname IN ('core', 'issuance', 'redemption', 'quota') ORDER BY 1
"""


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """Everything is said in the logs, and every limit is counted in Redis."""
    loud = settings.model_copy(update={"log_level": "debug", "rate_limits": "on"})
    async with serving(
        issuance=create_app(loud, clock=clock), redemption=create_redemption(loud, clock=clock)
    ) as client:
        yield client


@pytest.fixture
def logs(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """What was logged since, by us and by every library."""
    caplog.set_level(logging.DEBUG)
    return lambda: "".join(capfd.readouterr()) + caplog.text


async def tables_in_text(kit: Kit) -> dict[str, str]:
    """Every row of every table as text, binary columns in hex."""
    dumped = {}
    for (table,) in await rows(kit, TABLES):
        found = await rows(kit, f"SELECT CAST(t AS text) FROM {table} t")
        dumped[table] = "\n".join(row[0] for row in found)
    return dumped


async def redis_in_text(settings: Settings) -> str:
    redis = Redis.from_url(settings.redis_url)
    parts_found: list[object] = []
    try:
        async for key in redis.scan_iter():
            kind = await redis.type(key)
            parts_found.append(key)
            match kind:
                case b"string":
                    parts_found.append(await redis.get(key))
                case b"hash":
                    parts_found.append(await redis.hgetall(key))
                case b"list":
                    parts_found.append(await redis.lrange(key, 0, -1))
                case b"zset":
                    parts_found.append(await redis.zrange(key, 0, -1))
                case _:
                    parts_found.append(await redis.dump(key))
    finally:
        await redis.aclose()
    return "\n".join(map(repr, parts_found))


def spellings(clear: str) -> Iterable[str]:
    """As text, as JSON and Python escape it, and as bytes in hex and base64."""
    data = clear.encode()
    yield clear
    yield json.dumps(clear)[1:-1]
    yield repr(data)[2:-1]
    yield data.hex()
    yield base64.b64encode(data).decode().rstrip("=")


def found_in(text_of: dict[str, str], secrets: dict[str, str]) -> list[tuple[str, str]]:
    return [
        (where, what)
        for where, content in text_of.items()
        for what, clear in secrets.items()
        if any(spelling in content for spelling in spellings(clear))
    ]


def secrets_of(life: Life) -> dict[str, str]:
    return {
        "name": NAME,
        "id number": life.id_number,
        "phone": PHONE,
        "subject": life.code,
        "place": LEAD["place"],
        "voucher code": life.voucher["code"],
        "voucher code as stored": life.voucher["code"].replace("-", ""),
    }


async def everything(kit: Kit, settings: Settings, logs: str) -> dict[str, str]:
    return await tables_in_text(kit) | {"redis": await redis_in_text(settings), "logs": logs}


async def a_whole_life(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Life:
    """Identity, quiz, a reviewed lead, a win, a claim, a write-off, staff who look and reveal."""
    life = await lived(client, kit, clock)
    desk = Desk(client, await signed_in_staff(kit, Role.OPERATOR), await signed_in_staff(kit, Role.ADMIN))
    assert (await reviewed(desk, life.lead_id)).status_code == 200
    await Partaker(client, life.hands.person).send(
        life.campaign.slug,
        "share",
        {
            "url": "https://weibo.com/1/a",
            "text": f"我是{NAME}，电话{PHONE}，大家快来参与答题赢取健康消费券！",
        },
    )
    office = await bureau(client, kit)
    async with kit.database.snapshot() as tx:
        campaign = await catalogue.campaign_by_slug(tx, life.campaign.slug)
    till = await office.till(await office.institution(campaign))
    await till.verify(life.voucher["code"])
    await till.redeem(life.voucher["code"])
    person = life.hands.person.address
    for url in ("/issuance/v1/activities", f"/issuance/v1/vouchers?campaign={life.campaign.slug}"):
        assert (await client.get(url, headers=desk.one)).status_code == 200, url
    told = await client.post(
        f"/issuance/v1/persons/{person}/reveal",
        json={"fields": ["name", "id_number"], "reason": "核实领取争议"},
        headers=desk.one,
    )
    assert told.json()["id_number"] == life.id_number
    assert (await life.hands.get("/me/export")).status_code == 200
    assert (await life.hands.get("/me/export?format=zip")).status_code == 200
    refusal = await client.put(
        "/issuance/v1/me/identity",
        json=life.identity | {"id_number": life.id_number[:-1], "name": NAME},
        headers=life.hands.person.headers,
    )
    assert refusal.status_code == 422
    assert life.id_number[:-1] not in refusal.text
    return life


async def test_nothing_that_people_told_us_stands_anywhere_in_clear(
    client: httpx.AsyncClient,
    kit: Kit,
    clock: ManualClock,
    settings: Settings,
    logs: Callable[[], str],
) -> None:
    life = await a_whole_life(client, kit, clock)
    # Once with the jobs still to come, once with all of them done.
    assert found_in(await everything(kit, settings, ""), secrets_of(life)) == []
    await drain(kit, parts(build(kit)))
    await drain(kit, redemption_parts(build_redemption(kit)))
    structlog.get_logger().debug("Logs were captured", marker="searched")
    logged = logs()
    assert "searched" in logged
    assert "/issuance/v1/me/identity" in logged, "the addresses of requests were logged"
    found = await everything(kit, settings, logged)
    assert found_in(found, secrets_of(life)) == []
    assert "issuance-" in found["redis"], "Redis was searched"
    assert found_in(found, {"the campaign's name": life.campaign.slug}), "the tables were searched"

    person = life.hands.person.address.uuid
    sealed = "SELECT name_sealed FROM core.person WHERE id = :id"
    [(before,)] = await rows(kit, sealed, id=person)
    assert before.hex() in found["core.person"]
    assert (await life.erase()).status_code == 200
    await drain(kit, parts(build(kit)))
    gone = await everything(kit, settings, logs())
    assert found_in(gone, secrets_of(life)) == []
    assert not any(before.hex() in content for content in gone.values())


async def test_an_error_of_the_database_does_not_tell_what_was_sent(kit: Kit) -> None:
    with pytest.raises(SQLAlchemyError) as failure:
        await rows(kit, "SELECT CAST(CAST(:name AS text) || :phone AS jsonb)", name="[", phone=PHONE)
    assert "parameters hidden" in str(failure.value)


async def test_what_stands_in_clear_is_found(kit: Kit, settings: Settings) -> None:
    """The search itself: a value in a payload, one in bytes, one in Redis."""
    async with kit.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)"
                " VALUES (1, gen_random_uuid(), 'nobody', 'nothing',"
                " jsonb_build_object('to', CAST(:phone AS text)), now(), now())"
            ),
            {"phone": PHONE},
        )
        await tx.execute(
            text(
                "UPDATE core.person SET name_sealed = convert_to(:name, 'UTF8') WHERE bucket = ("
                "SELECT bucket FROM core.person LIMIT 1)"
            ),
            {"name": NAME},
        )
    redis = Redis.from_url(settings.redis_url)
    await redis.set("planted", NAME)
    planted = found_in(await everything(kit, settings, f"hello {PHONE}"), {"name": NAME, "phone": PHONE})
    await redis.delete("planted")
    await redis.aclose()
    assert {("core.outbox", "phone"), ("core.person", "name"), ("redis", "name"), ("logs", "phone")} <= set(
        planted
    )
