"""Notices over WeChat and SMS: consents, retries, what nobody knows, nights, quotas, dead letters."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import insert, text

from services.issuance.accounts.operations import subject_context
from services.issuance.deliveries.operations import Deliveries
from services.issuance.phones.operations import Phones
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.identity.tables import AccountRow
from shared.ids import new_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.messaging.setup import messengers_of
from shared.outbox import OutboxItem, add
from shared.settings import Settings, SettingsMissing
from tests.support.citizens import Hands
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.held import Held, another, held_voucher, redeem, refused, rows, run, winner
from tests.support.messaging import FakeSms, FakeWeChatMessages, serving_messages
from tests.support.people import signed_in_staff

pytestmark = pytest.mark.usefixtures("clock_returns", "well")

PREFERENCES, GRANTS = "/issuance/v1/me/notice-preferences", "/issuance/v1/me/notice-grants"
LETTERS = "/issuance/v1/notices/dead-letters"
PHONE = "13800138000"
TEMPLATES = {
    "issued": {"id": "tmpl-got", "data": {"thing1": "name", "time2": "until"}},
    "redeemed": {"id": "tmpl-used", "data": {"thing1": "name", "thing2": "text"}},
    "expiring": {"id": "tmpl-end", "data": {"thing1": "name", "number2": "days", "thing3": "note"}},
    "revoked": {"id": "tmpl-end", "data": {"thing1": "name", "thing3": "note"}},
    "award_won": {"id": "tmpl-won", "data": {"thing1": "campaign"}, "once": False},
}
DELIVERIES = (
    "SELECT d.channel, n.kind, d.state, d.outcome, d.attempts FROM issuance.notice_delivery d"
    " JOIN issuance.notice n ON n.bucket = d.bucket AND n.id = d.notice_id"
    " WHERE n.bucket = :bucket AND n.person_id = :id ORDER BY d.created_at, d.channel"
)
# The pause of a failed attempt is over.
DUE = "UPDATE core.outbox SET next_at = now() - interval '1 second' WHERE kind = :kind AND state = 'ready'"
LAST_ATTEMPT = "UPDATE core.outbox SET attempt = 11, next_at = now() WHERE kind = :kind AND state = 'ready'"


@pytest.fixture(scope="module")
def wechat() -> FakeWeChatMessages:
    return FakeWeChatMessages()


@pytest.fixture(scope="module")
def sms() -> FakeSms:
    return FakeSms()


@pytest.fixture(scope="module")
async def settings(settings: Settings, wechat: FakeWeChatMessages, sms: FakeSms) -> AsyncIterator[Settings]:
    async with serving_messages(wechat) as wechat_url, serving_messages(sms) as sms_url:
        yield settings.model_copy(
            update={
                "wechat_url": wechat_url,
                "wechat_app_id": wechat.app_id,
                "wechat_app_secret": SecretStr(wechat.secret),
                "notice_wechat": "on",
                "notice_wechat_templates": json.dumps(TEMPLATES),
                "notice_sms": "on",
                "notice_sms_url": sms_url + "/send?tenant=hh",
                "notice_sms_token": SecretStr(sms.token),
                "notice_timeout_seconds": 0.3,
            }
        )


@pytest.fixture
def well(wechat: FakeWeChatMessages, sms: FakeSms) -> None:
    wechat.trouble, sms.trouble = "", ""
    wechat.faults, sms.faults = [], []
    wechat.received.clear()
    sms.received.clear()
    sms.calls.clear()


@pytest.fixture
async def wiring(kit: Kit) -> AsyncIterator[Wiring]:
    wiring = build(kit)
    yield wiring
    await wiring.deliveries.messengers.close()


async def on_wechat(kit: Kit, hands: Hands) -> str:
    """The person signs in with WeChat too; returns the openid."""
    account_id, openid = new_id(), f"o-{new_id().hex[-8:]}"
    subject = f"{kit.settings.wechat_app_id}/{openid}"
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
    return openid


async def agreed(hands: Hands, wechat: FakeWeChatMessages, openid: str, *templates: str) -> None:
    for template in templates:
        answer = await granted(hands, {template: "accept"})
        assert answer.status_code == 201, answer.text
        wechat.consents[openid] = wechat.consents.get(openid, 0) + 1


async def granted(hands: Hands, results: dict[str, str], number: str | None = None) -> httpx.Response:
    body = {"request_no": number or new_id().hex, "results": results}
    return await hands.client.post(GRANTS, json=body, headers=hands.person.headers)


async def preferring(hands: Hands, **body: Any) -> httpx.Response:  # noqa: ANN401 - parts of the body
    return await hands.client.put(PREFERENCES, json=body, headers=hands.person.headers)


async def confirmed(wiring: Wiring, gateway: FakeSms, hands: Hands, **wanted: Any) -> httpx.Response:  # noqa: ANN401 - the same
    """SMS to PHONE, with the code that was sent there; what the gateway saw of it is forgotten."""
    sms_wanted = {"enabled": True, "phone": PHONE, **wanted.pop("sms", {})}
    # All tests have one phone, which would have had its codes of today.
    await run(wiring.kit, "DELETE FROM issuance.phone_code_day")
    asked = await preferring(hands, sms=sms_wanted, **wanted)
    assert (asked.status_code, asked.json()["sms"]["enabled"]) == (200, False), asked.text
    await work(wiring)
    [message] = [body for body in gateway.received.values() if body["template"] == "phone_code"]
    body = {"code": message["values"]["code"]}
    answer = await hands.client.post(f"{PREFERENCES}/phone-code", json=body, headers=hands.person.headers)
    assert answer.status_code == 200, answer.text
    gateway.received.clear()
    gateway.calls.clear()
    return answer


async def deliveries(kit: Kit, hands: Hands) -> list[tuple[Any, ...]]:
    address = hands.person.address
    return [tuple(row) for row in await rows(kit, DELIVERIES, bucket=address.bucket, id=address.uuid)]


async def work(wiring: Wiring, *, again: bool = False) -> None:
    if again:
        await run(wiring.kit, DUE, kind=Kind.NOTICE_DUE)
    await drain(wiring.kit, parts(wiring))


async def reader(desk: Desk, wiring: Wiring, clock: ManualClock) -> tuple[Held, str]:
    """Somebody with a voucher, on WeChat, whose first notices have been carried."""
    held = await held_voucher(desk.client, wiring.kit, clock)
    openid = await on_wechat(wiring.kit, held.hands)
    await work(wiring)
    return held, openid


async def test_a_consent_carries_one_message_and_no_more(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages
) -> None:
    hands, campaign = await winner(desk.client, wiring.kit, clock)
    openid = await on_wechat(wiring.kit, hands)
    await agreed(hands, wechat, openid, "tmpl-got")
    for _ in range(2):
        await another(hands, campaign)
    await work(wiring)
    assert await deliveries(wiring.kit, hands) in (
        [("wechat", "issued", "sent", None, 1)],
        [("wechat", "issued", "sent", None, 1), ("wechat", "issued", "skipped", "no_consent", 0)],
        [("wechat", "issued", "skipped", "no_consent", 0), ("wechat", "issued", "sent", None, 1)],
    )
    [message] = wechat.received
    assert message == {
        "touser": openid,
        "template_id": "tmpl-got",
        "data": {"thing1": {"value": "fitness券"}, "time2": {"value": "2020年12月30日 10:00"}},
        "miniprogram_state": "formal",
        "lang": "zh_CN",
    }
    shown = (await hands.get("/me/notice-preferences")).json()["wechat"]
    assert {entry["template_id"]: entry["grants_left"] for entry in shown["templates"]} == {
        "tmpl-got": 0, "tmpl-used": 0, "tmpl-end": 0, "tmpl-won": 0,
    }  # fmt: skip
    assert len((await hands.get("/me/notices")).json()["items"]) == 2


async def test_a_stale_token_is_renewed_and_forced_only_when_it_must_be(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages
) -> None:
    held, openid = await reader(desk, wiring, clock)
    await agreed(held.hands, wechat, openid, "tmpl-used", "tmpl-used")
    await redeem(wiring.kit, held.address)
    wechat.tokens_asked.clear()
    # Another process has had a new one made: asking in the ordinary way is enough.
    assert wiring.deliveries.messengers.wechat is not None
    await wiring.deliveries.messengers.wechat.access.token()
    wechat.token_number += 1
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert [asked["force_refresh"] for asked in wechat.tokens_asked] == [False, False]
    # WeChat takes its own token back: now it has to be forced.
    wechat.withdrawn.add(wechat.token)
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert [asked["force_refresh"] for asked in wechat.tokens_asked][2:] == [False, True]
    assert len(wechat.received) == 2
    assert {state for _, _, state, _, _ in await deliveries(wiring.kit, held.hands)} == {"sent"}


async def told(wiring: Wiring, held: Held, kind: Kind) -> None:
    """Something happened to the voucher, and its jobs are done."""
    async with wiring.kit.database.transaction() as tx:
        await add(tx, "issuance", kind, {"voucher_id": held.id}, bucket=held.address.bucket)
    await work(wiring)


async def test_a_person_who_said_no_is_not_asked_again(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages
) -> None:
    held, openid = await reader(desk, wiring, clock)
    await agreed(held.hands, wechat, openid, "tmpl-used", "tmpl-used")
    wechat.consents[openid] = 0  # taken back at WeChat
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert await deliveries(wiring.kit, held.hands) == [("wechat", "redeemed", "refused", "43101", 1)]


async def test_a_used_up_day_puts_messages_off_to_the_next_one(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages
) -> None:
    held, openid = await reader(desk, wiring, clock)
    await agreed(held.hands, wechat, openid, "tmpl-used")
    wechat.faults = [45009]
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert await deliveries(wiring.kit, held.hands) == [("wechat", "redeemed", "deferred", "45009", 1)]
    clock.advance(hours=13)
    assert await wiring.deliveries.resume() == 0
    clock.advance(hours=2)
    assert await wiring.deliveries.resume() == 1
    assert await wiring.deliveries.resume() == 0
    await work(wiring)
    assert await deliveries(wiring.kit, held.hands) == [("wechat", "redeemed", "sent", None, 2)]


async def test_a_fault_is_retried_with_the_same_consent_until_it_is_a_dead_letter(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages, kit: Kit
) -> None:
    held, openid = await reader(desk, wiring, clock)
    await agreed(held.hands, wechat, openid, "tmpl-used")
    wechat.faults = [47003, -1, 40037]
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    await work(wiring, again=True)
    assert await deliveries(kit, held.hands) == [("wechat", "redeemed", "waiting", "-1", 2)]
    await run(kit, LAST_ATTEMPT, kind=Kind.NOTICE_DUE)
    await work(wiring)
    [letter] = (await desk.client.get(LETTERS, headers=desk.one)).json()["items"]
    assert (letter["notice_kind"], letter["channel"], letter["voucher_id"]) == ("redeemed", "wechat", held.id)
    assert (letter["attempts"], letter["error"]) == (12, "NotDelivered: wechat: failed 40037")
    assert openid not in json.dumps(letter)
    assert wechat.received == []

    auditor = await signed_in_staff(kit, Role.AUDITOR)
    url = f"{LETTERS}/{letter['id']}/retry"
    refused(await desk.client.post(url, json={}, headers=auditor), 403, "forbidden")
    assert (await desk.client.get(LETTERS, headers=auditor)).status_code == 200
    refused(await desk.client.get(LETTERS, headers=held.hands.person.headers), 401, "unauthenticated")
    again = await desk.client.post(url, json={}, headers=desk.one)
    assert (again.status_code, again.json()) == (200, {"id": letter["id"], "status": "queued"})
    refused(await desk.client.post(url, json={}, headers=desk.one), 404, "not_found")
    await work(wiring)
    assert len(wechat.received) == 1
    assert (await desk.client.get(LETTERS, headers=desk.one)).json()["items"] == []
    [entry] = await rows(kit, "SELECT actor, object FROM core.audit_entry WHERE action = 'notice.retry'")
    assert entry.object == f"outbox:{letter['id']}"


@pytest.mark.parametrize("trouble", ["cut", "silent", "error", "drops"])
async def test_an_unclear_end_is_not_repeated_where_twice_would_mislead(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages, trouble: str
) -> None:
    held, openid = await reader(desk, wiring, clock)
    assert wiring.deliveries.messengers.wechat is not None
    await wiring.deliveries.messengers.wechat.access.token()
    await agreed(held.hands, wechat, openid, "tmpl-used")
    wechat.trouble = trouble
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    wechat.trouble = ""
    await work(wiring, again=True)
    [(_, kind, state, _, attempts)] = await deliveries(wiring.kit, held.hands)
    assert (kind, state, attempts) == ("redeemed", "unknown", 1)
    assert len(wechat.received) == (1 if trouble == "cut" else 0)


async def test_a_warning_without_an_answer_is_repeated_and_wechat_counts_the_consents(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages
) -> None:
    held, openid = await reader(desk, wiring, clock)
    assert wiring.deliveries.messengers.wechat is not None
    await wiring.deliveries.messengers.wechat.access.token()
    await agreed(held.hands, wechat, openid, "tmpl-end")
    clock.advance(days=53, hours=1)
    wechat.trouble = "cut"  # it arrives, and nobody hears of it
    assert await wiring.notices.remind() >= 1
    await work(wiring)
    assert await deliveries(wiring.kit, held.hands) == [("wechat", "expiring", "trying", None, 1)]
    wechat.trouble = ""
    await work(wiring, again=True)
    # Not sent twice: the one consent was used up by the first.
    assert len(wechat.received) == 1
    assert await deliveries(wiring.kit, held.hands) == [("wechat", "expiring", "unknown", "43101", 2)]


async def test_an_attempt_that_died_with_its_worker_is_known_by_the_next(
    desk: Desk,
    wiring: Wiring,
    clock: ManualClock,
    wechat: FakeWeChatMessages,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, openid = await reader(desk, wiring, clock)
    await agreed(held.hands, wechat, openid, "tmpl-used")

    class Killed(BaseException):
        pass

    async def killed(*_: object) -> bool:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Deliveries, "_end", killed)
        with pytest.raises(Killed):
            await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert [state for _, _, state, _, _ in await deliveries(wiring.kit, held.hands)] == ["trying"]
    await work(wiring, again=True)
    assert [state for _, _, state, _, _ in await deliveries(wiring.kit, held.hands)] == ["unknown"]
    assert len(wechat.received) == 1


async def test_a_template_that_is_agreed_to_for_good_is_not_used_up(
    desk: Desk, wiring: Wiring, clock: ManualClock, wechat: FakeWeChatMessages
) -> None:
    hands, campaign = await winner(desk.client, wiring.kit, clock)
    openid = await on_wechat(wiring.kit, hands)
    await agreed(hands, wechat, openid, "tmpl-won")
    wechat.consents[openid] = 9
    for _ in range(2):
        await hands.win(campaign.slug)
    assert await wiring.notices.remind() >= 2
    await work(wiring)
    assert [row[2] for row in await deliveries(wiring.kit, hands)] == ["sent", "sent"]
    assert (await granted(hands, {"tmpl-won": "reject"})).json()["wechat"]["templates"][-1][
        "grants_left"
    ] == 0


async def test_consents_are_counted_once_for_each_report(
    desk: Desk, wiring: Wiring, clock: ManualClock
) -> None:
    hands, _ = await winner(desk.client, wiring.kit, clock)

    async def left() -> int:
        shown = (await hands.get("/me/notice-preferences")).json()["wechat"]
        return next(int(e["grants_left"]) for e in shown["templates"] if e["template_id"] == "tmpl-end")

    first = await granted(hands, {"tmpl-end": "accept", "tmpl-got": "reject"}, "g1")
    again = await granted(hands, {"tmpl-end": "accept", "tmpl-got": "reject"}, "g1")
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    refused(await granted(hands, {"tmpl-end": "reject"}, "g1"), 409, "request_no_reused")
    assert (await granted(hands, {"tmpl-end": "accept"})).status_code == 201
    assert await left() == 2
    await granted(hands, {"tmpl-end": "filter"})
    assert await left() == 2
    await granted(hands, {"tmpl-end": "ban"})
    assert await left() == 0
    unknown = await granted(hands, {"tmpl-other": "accept"})
    refused(unknown, 422, "invalid_request")
    assert unknown.json()["errors"][0]["code"] == "template_unknown"
    refused(await granted(hands, {}), 422, "invalid_request")


async def test_sms_goes_to_the_phone_that_was_given_by_day_and_never_by_night(
    desk: Desk, wiring: Wiring, clock: ManualClock, sms: FakeSms, kit: Kit
) -> None:
    hands, campaign = await winner(desk.client, kit, clock)
    assert (await hands.get("/me/notice-preferences")).json()["sms"] == {
        "available": True, "enabled": False, "phone_masked": None, "pending": None, "kinds": [],
    }  # fmt: skip
    shown = await confirmed(wiring, sms, hands, language="en")
    assert shown.json()["sms"]["phone_masked"] == "138****8000"
    assert "award_won" in shown.json()["sms"]["kinds"]
    clock.advance(hours=13)  # 23:00
    await hands.win(campaign.slug)
    await wiring.notices.remind()
    await work(wiring)
    assert await deliveries(kit, hands) == [("sms", "award_won", "deferred", "night", 0)]
    assert sms.calls == []
    clock.advance(hours=8, minutes=59)
    assert await wiring.deliveries.resume() == 0
    clock.advance(minutes=2)
    assert await wiring.deliveries.resume() == 1
    await work(wiring)
    assert await deliveries(kit, hands) == [("sms", "award_won", "sent", None, 1)]
    [message] = sms.received.values()
    assert (message["phone"], message["language"], message["template"]) == (PHONE, "en", "award_won")
    assert "Choose a voucher before" in message["text"]
    stored = await rows(
        kit, "SELECT p::text AS row FROM issuance.notice_preference p WHERE person_id = :id",
        id=hands.person.address.uuid,
    )  # fmt: skip
    assert PHONE not in stored[0].row


@pytest.mark.parametrize("trouble", ["cut", "silent", "drops", "error"])
async def test_an_sms_is_asked_for_again_under_its_key_and_sent_once(
    desk: Desk, wiring: Wiring, clock: ManualClock, sms: FakeSms, trouble: str
) -> None:
    held = await held_voucher(desk.client, wiring.kit, clock)
    await confirmed(wiring, sms, held.hands, sms={"kinds": ["redeemed"]})
    sms.trouble = trouble
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert await deliveries(wiring.kit, held.hands) == [("sms", "redeemed", "trying", None, 1)]
    sms.trouble = ""
    await work(wiring, again=True)
    assert await deliveries(wiring.kit, held.hands) == [("sms", "redeemed", "sent", None, 2)]
    assert len(sms.received) == 1
    assert len({call.headers["idempotency-key"] for call in sms.calls}) == 1


@pytest.mark.parametrize(
    ("answer", "state", "outcome"),
    [
        ((200, {"status": "refused", "code": "blacklisted"}), "refused", "blacklisted"),
        ((200, {"status": "later", "code": "quota", "after_seconds": 60}), "deferred", "quota"),
        ((429, {}), "deferred", "http_429"),
        ((400, {"message": "bad sign"}), "waiting", "http_400"),
        ((200, {"status": "perhaps"}), "trying", None),
        ((302, {}), "waiting", "http_302"),
    ],
)
async def test_what_the_gateway_answers_decides(
    desk: Desk,
    wiring: Wiring,
    clock: ManualClock,
    sms: FakeSms,
    *,
    answer: tuple[int, dict[str, Any]],
    state: str,
    outcome: str | None,
) -> None:
    held = await held_voucher(desk.client, wiring.kit, clock)
    await confirmed(wiring, sms, held.hands, sms={"kinds": ["redeemed"]})
    sms.faults = [answer]
    await told(wiring, held, Kind.VOUCHER_REDEEMED)
    assert await deliveries(wiring.kit, held.hands) == [("sms", "redeemed", state, outcome, 1)]
    await run(wiring.kit, "DELETE FROM core.outbox WHERE kind = :kind", kind=Kind.NOTICE_DUE)


async def test_what_is_no_longer_true_or_wanted_is_not_sent(
    desk: Desk, wiring: Wiring, clock: ManualClock, sms: FakeSms, kit: Kit
) -> None:
    held = await held_voucher(desk.client, kit, clock)
    await confirmed(wiring, sms, held.hands, sms={"kinds": ["expiring", "restored"]})
    clock.advance(days=53, hours=1)
    await wiring.notices.remind()
    await redeem(kit, held.address)
    await work(wiring)
    assert await deliveries(kit, held.hands) == [("sms", "expiring", "skipped", "no_longer_true", 0)]
    async with kit.database.transaction() as tx:
        told_of = {"voucher_id": held.id}
        await add(tx, "issuance", Kind.VOUCHER_RESTORED, told_of, bucket=held.address.bucket)
        items = [row async for row in _items(tx)]
        await wiring.notices.record(tx, items)
    shown = await preferring(held.hands, sms={"enabled": False})
    assert shown.json()["sms"] == {
        "available": True, "enabled": False, "phone_masked": None, "pending": None, "kinds": [],
    }  # fmt: skip
    await work(wiring)
    [restored] = [row for row in await deliveries(kit, held.hands) if row[1] == "restored"]
    assert restored == ("sms", "restored", "skipped", "no_address", 0)
    assert sms.calls == []


async def _items(tx: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - a transaction
    statement = text("SELECT bucket, id, kind, payload FROM core.outbox WHERE kind = :kind")
    for row in await tx.execute(statement, {"kind": Kind.VOUCHER_RESTORED}):
        yield OutboxItem(row.bucket, row.id, row.kind, row.payload, 1)


async def test_preferences_are_refused_by_name(
    desk: Desk, wiring: Wiring, clock: ManualClock, sms: FakeSms
) -> None:
    hands, _ = await winner(desk.client, wiring.kit, clock)
    for body, code in (
        ({"sms": {"enabled": True}}, "phone_missing"),
        ({"sms": {"enabled": True, "phone": "12345"}}, "phone_invalid"),
        ({"sms": {"enabled": True, "phone": PHONE, "kinds": ["spam"]}}, "literal_error"),
        ({"language": "fr"}, "literal_error"),
        ({"more": 1}, "extra_forbidden"),
    ):
        answer = await preferring(hands, **body)
        refused(answer, 422, "invalid_request")
        assert answer.json()["errors"][0]["code"] == code
    nobody = await desk.client.put(PREFERENCES, json={}, headers=desk.one)
    refused(nobody, 401, "unauthenticated")
    kept = await confirmed(wiring, sms, hands, sms={"kinds": ["revoked"]})
    changed = await preferring(hands, sms={"enabled": True, "kinds": ["issued"]})
    assert (kept.json()["sms"]["kinds"], changed.json()["sms"]["kinds"]) == (["revoked"], ["issued"])
    assert changed.json()["sms"]["phone_masked"] == "138****8000"


async def test_a_signed_call_carries_the_bytes_that_were_signed(
    desk: Desk, kit: Kit, settings: Settings, clock: ManualClock, sms: FakeSms
) -> None:
    gateway = FakeSms(key="key-of-the-gateway")
    async with serving_messages(gateway) as url:
        signed = settings.model_copy(
            update={
                "notice_sms_url": url + "/v1/send?tenant=红河",
                "notice_sms_token": None,
                "notice_sms_key_id": "hv",
                "notice_sms_key": SecretStr("key-of-the-gateway"),
            }
        )
        messengers = messengers_of(signed)
        wiring = build(kit)
        carrying = Deliveries(kit, messengers, wiring.phones)
        held = await held_voucher(desk.client, kit, clock)
        await confirmed(wiring, sms, held.hands, sms={"kinds": ["redeemed"]})
        await run_with(kit, wiring, carrying, held)
        await messengers.close()
        await wiring.deliveries.messengers.close()
    assert len(gateway.received) == 1


async def run_with(kit: Kit, wiring: Wiring, carrying: Deliveries, held: Held) -> None:
    changed = replace(wiring, deliveries=carrying)
    async with kit.database.transaction() as tx:
        await add(tx, "issuance", Kind.VOUCHER_REDEEMED, {"voucher_id": held.id}, bucket=held.address.bucket)
    await drain(kit, parts(changed))


@pytest.mark.parametrize(
    ("update", "names"),
    [
        ({"notice_sms": "on"}, "HV_NOTICE_SMS_URL"),
        ({"notice_sms": "on", "notice_sms_url": "https://sms.test"}, "HV_NOTICE_SMS_TOKEN"),
        ({"notice_wechat": "on"}, "HV_WECHAT_APP_ID"),
        (
            {
                "notice_wechat": "on",
                "wechat_app_id": "wx1",
                "wechat_app_secret": SecretStr("s"),
                "notice_wechat_templates": '{"issued": {"id": "t", "data": {"thing1": "code"}}}',
            },
            "HV_NOTICE_WECHAT_TEMPLATES",
        ),
        (
            {
                "notice_wechat": "on",
                "wechat_app_id": "wx1",
                "wechat_app_secret": SecretStr("s"),
                "notice_wechat_templates": '{"birthday": {"id": "t", "data": {}}}',
            },
            "birthday",
        ),
    ],
)
def test_a_way_that_is_switched_on_without_its_settings_stops_the_start(
    kit: Kit, update: dict[str, object], names: str
) -> None:
    bare = {
        name: None
        for name in type(kit.settings).model_fields
        if name.startswith(("notice_sms_", "wechat_app")) or name == "notice_wechat_templates"
    }
    off = {"notice_sms": "off", "notice_wechat": "off"}
    changed = kit.settings.model_copy(update=bare | off | update)

    def started() -> None:
        messengers = messengers_of(changed)
        Deliveries(kit, messengers, Phones(kit, messengers))

    with pytest.raises(SettingsMissing, match=names):
        started()
    assert messengers_of(kit.settings.model_copy(update=bare | off)).sms is None
