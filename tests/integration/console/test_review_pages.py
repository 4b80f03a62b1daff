"""The review page: what was sent with its photos, taking it into hand, and each decision."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.citizens import new_person
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff
from tests.support.pictures import photo
from tests.support.ways import LEAD, SHARE, Partaker, open_ways

PAGE = "/console/reviews"
TITLE = "全民健康消费券测试活动"


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("objects")
    return settings.model_copy(update={"objects_dir": folder})


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    photo_id: str
    lead: str
    share: str

    async def sent(self, path: str, **form: str) -> httpx.Response:
        page = await self.client.get(PAGE)
        return await self.client.post(f"{PAGE}/{path}", data={**form_of(page), **form})


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        campaign = await open_ways(kit, clock, parts={"slug": f"ways-{secrets.token_hex(4)}"})
        someone = Partaker(client, await new_person(kit))
        picture = await someone.photo(photo(1))
        lead = await someone.send(campaign.slug, "lead", {**LEAD, "photos": [picture]})
        share = await someone.send(campaign.slug, "share", SHARE)
        client.cookies.clear()
        yield Desk(signed_in(client, await signed_in_staff(kit, Role.OPERATOR)), picture, lead, share)


async def test_what_waits_is_taken_into_hand_and_decided(desk: Desk) -> None:
    assert "您手中没有待审核的内容" in text_of(await desk.client.get(PAGE))
    waiting = text_of(await desk.client.get(PAGE, params={"view": "free", "channel": "lead"}))
    assert LEAD["place"] in waiting
    taken = await desk.sent("claim")
    assert taken.headers["location"].endswith("done=claimed")
    page = await desk.client.get(PAGE)
    shown = text_of(page)
    for fact in (LEAD["description"], SHARE["text"], "待审核", "共 2 条", TITLE):
        assert fact in shown, shown
    assert f'src="{PAGE}/photos/{desk.photo_id}"' in page.text
    picture = await desk.client.get(f"{PAGE}/photos/{desk.photo_id}")
    assert picture.headers["content-type"].startswith("image/")
    refused = await desk.sent(desk.share, decision="reject")
    assert (refused.status_code, "不通过时必须填写原因" in refused.text) == (422, True)
    done = await desk.sent(desk.share, decision="reject", note="内容不符")
    assert done.headers["location"] == f"{PAGE}?done=rejected"
    assert "内容不符" in text_of(await desk.client.get(PAGE, params={"view": "rejected"}))
    file = await desk.client.get(f"{PAGE}/export.xlsx", params={"view": "rejected", "channel": "share"})
    cells = [cell for row in read_rows(file.content) for cell in row.cells]
    assert {"内容不符", TITLE, "未通过"} <= set(cells), cells
    assert any("链接：https://weibo.com/1234/abcd" in str(cell) for cell in cells), cells
    done = await desk.sent(desk.lead, decision="accept")
    assert done.headers["location"] == f"{PAGE}?done=accepted"
    assert "发放机会 2" in text_of(await desk.client.get(PAGE, params={"view": "accepted"}))
    again = await desk.sent(desk.lead, decision="reject", note="太晚了")
    assert (again.status_code, 'role="alert"' in again.text) == (409, True)
    assert (await desk.sent("claim")).headers["location"].endswith("done=none")


async def test_auditors_read_and_decide_nothing(desk: Desk, kit: Kit) -> None:
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.AUDITOR))
    page = await desk.client.get(PAGE, params={"view": "any"})
    assert (page.status_code, 'name="decision"' in page.text) == (200, False)
    assert (await desk.sent("claim")).status_code == 403
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none"))
    for path in ("", f"/photos/{desk.photo_id}"):
        assert (await desk.client.get(f"{PAGE}{path}")).status_code == 403
