"""Two workers and one consent, and one delivery that two workers hold: sent once."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import insert

from services.issuance.accounts.operations import subject_context
from services.issuance.app import create_app
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.identity.tables import AccountRow
from shared.ids import new_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.outbox import OutboxItem
from shared.settings import Settings
from tests.support.citizens import Hands
from tests.support.drain import drain
from tests.support.held import another, rows, run, winner
from tests.support.http import serving
from tests.support.messaging import FakeWeChatMessages, serving_messages

TEMPLATES = {"issued": {"id": "tmpl", "data": {"thing1": "name"}}}
WAITING = "SELECT bucket, id, kind, payload, attempt FROM core.outbox WHERE kind = :kind"
STATES = (
    "SELECT d.state FROM issuance.notice_delivery d JOIN issuance.notice n"
    " ON n.bucket = d.bucket AND n.id = d.notice_id WHERE n.person_id = :id ORDER BY d.state"
)


@pytest.fixture(scope="module")
def wechat() -> FakeWeChatMessages:
    return FakeWeChatMessages()


@pytest.fixture(scope="module")
async def settings(settings: Settings, wechat: FakeWeChatMessages) -> AsyncIterator[Settings]:
    async with serving_messages(wechat) as url:
        yield settings.model_copy(
            update={
                "wechat_url": url,
                "wechat_app_id": wechat.app_id,
                "wechat_app_secret": SecretStr(wechat.secret),
                "notice_wechat": "on",
                "notice_wechat_templates": json.dumps(TEMPLATES),
            }
        )


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(issuance=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture
async def workers(kit: Kit) -> AsyncIterator[list[Wiring]]:
    wirings = [build(kit) for _ in range(2)]
    yield wirings
    for wiring in wirings:
        await wiring.deliveries.messengers.close()


async def due(kit: Kit, hands: Hands, workers: list[Wiring], wechat: FakeWeChatMessages) -> list[OutboxItem]:
    """The deliveries of all that the person was told so far, planned and not begun."""
    account_id, openid = new_id(), f"o-{new_id().hex[-8:]}"
    subject = f"{wechat.app_id}/{openid}"
    async with kit.database.transaction() as tx:
        await tx.execute(
            insert(AccountRow).values(
                id=account_id,
                provider="wechat",
                subject_hash=kit.keys.index.digest("test", subject),
                subject_sealed=kit.keys.sealer.seal_text(subject, context=subject_context(account_id)),
                bucket=hands.person.address.bucket,
                person_id=hands.person.address.uuid,
                created_at=kit.clock.now(),
            )
        )
    body = {"request_no": "g1", "results": {"tmpl": "accept"}}
    url, own = "/issuance/v1/me/notice-grants", hands.person.headers
    assert (await hands.client.post(url, json=body, headers=own)).status_code == 201
    # WeChat knows of more: what holds a second message back is our own count.
    wechat.consents[openid] = 9
    wechat.received.clear()
    effects = parts(workers[0])
    await drain(kit, replace(effects, jobs=[job for job in effects.jobs if job.kind == Kind.VOUCHER_ISSUED]))
    await run(kit, "UPDATE core.outbox SET attempt = 1 WHERE kind = :kind", kind=Kind.NOTICE_DUE)
    return [OutboxItem(*row) for row in await rows(kit, WAITING, kind=Kind.NOTICE_DUE)]


async def states(kit: Kit, hands: Hands) -> list[str]:
    return [row.state for row in await rows(kit, STATES, id=hands.person.address.uuid)]


async def test_one_consent_carries_one_of_two_messages_that_leave_at_once(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, workers: list[Wiring], wechat: FakeWeChatMessages
) -> None:
    hands, campaign = await winner(client, kit, clock)
    for _ in range(2):
        await another(hands, campaign)
    items = await due(kit, hands, workers, wechat)
    assert len(items) == 2
    await asyncio.gather(
        *[worker.deliveries.deliver(item) for worker, item in zip(workers, items, strict=True)]
    )
    assert await states(kit, hands) == ["sent", "skipped"]
    assert len(wechat.received) == 1
    await run(kit, "DELETE FROM core.outbox WHERE kind = :kind", kind=Kind.NOTICE_DUE)


async def test_a_delivery_that_another_worker_took_over_is_left_to_it(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, workers: list[Wiring], wechat: FakeWeChatMessages
) -> None:
    hands, campaign = await winner(client, kit, clock)
    await another(hands, campaign)
    [first] = await due(kit, hands, workers, wechat)
    await run(kit, "UPDATE core.outbox SET attempt = 2 WHERE kind = :kind", kind=Kind.NOTICE_DUE)
    second = replace(first, attempt=2)
    await asyncio.gather(workers[0].deliveries.deliver(first), workers[1].deliveries.deliver(second))
    assert await states(kit, hands) == ["sent"]
    assert len(wechat.received) == 1
