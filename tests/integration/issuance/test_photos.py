"""Photos over HTTP: taken in, kept without anything but their pixels, used once, dropped when unused."""

import asyncio
import io
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from PIL import Image

from services.issuance.photos.operations import UNUSED_FOR, UNUSED_MAX, Photos
from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.errors import Busy, InvalidRequest
from shared.identity.staff import Role
from shared.kit import Kit
from shared.objects import LocalObjects
from shared.settings import Settings
from tests.support.citizens import new_person
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.pictures import SECRET, photo, telling_photo
from tests.support.ways import LEAD, Partaker, faults, open_ways, refused, rows

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("objects")


@pytest.fixture(scope="module")
def settings(settings: Settings, objects: Path) -> Settings:
    return settings.model_copy(update={"objects_dir": objects})


@pytest.fixture
async def someone(client: httpx.AsyncClient, kit: Kit) -> Partaker:
    return Partaker(client, await new_person(kit))


def stored(objects: Path) -> list[Path]:
    return [path for path in objects.rglob("*") if path.is_file()]


async def shown(desk: Desk, photo_id: str) -> httpx.Response:
    return await desk.client.get(f"/issuance/v1/photos/{photo_id}", headers=desk.one)


class SlowUpload:
    """An upload that is read when it is told to go on."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.begun = asyncio.Event()
        self.go_on: asyncio.Event | None = None

    async def read(self, size: int) -> bytes:
        self.begun.set()
        if self.go_on is not None:
            await self.go_on.wait()
        return self._content[:size]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_photo_comes_back_without_what_the_phone_wrote_into_it(
    someone: Partaker, desk: Desk, objects: Path, kind: str
) -> None:
    before = set(stored(objects))
    kept = await someone.upload(telling_photo(kind))
    assert kept.status_code == 201, kept.text
    assert kept.json().keys() == {"photo_id", "width", "height"}
    seen = await shown(desk, kept.json()["photo_id"])
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert SECRET not in seen.content
    picture = Image.open(io.BytesIO(seen.content))
    assert dict(picture.getexif()) == {}
    assert picture.size == (kept.json()["width"], kept.json()["height"])
    # On the disk lies neither the upload nor the picture in clear.
    [file] = set(stored(objects)) - before
    assert SECRET not in file.read_bytes()
    assert seen.content[:200] not in file.read_bytes()


async def test_the_same_photo_again_is_the_same_one(someone: Partaker, objects: Path) -> None:
    first = await someone.upload(photo(11))
    before = len(stored(objects))
    again = await someone.upload(photo(11))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    assert len(stored(objects)) == before


async def test_another_persons_same_photo_is_another_one(
    someone: Partaker, client: httpx.AsyncClient, kit: Kit
) -> None:
    neighbour = Partaker(client, await new_person(kit))
    assert await someone.photo(photo(12)) != await neighbour.photo(photo(12))


class TestRefusals:
    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "photo_type"),
            (b"GIF89a" + b"\x00" * 40, "photo_type"),
            (b"<html><script>alert(1)</script>", "photo_type"),
            (photo()[:1500], "photo_unreadable"),
        ],
    )
    async def test_what_is_no_picture_is_named_and_leaves_nothing(
        self, someone: Partaker, objects: Path, content: bytes, code: str
    ) -> None:
        before = len(stored(objects))
        assert faults(await someone.upload(content, "photo.jpg")) == {("body.file", code)}
        assert len(stored(objects)) == before

    async def test_a_file_above_eight_megabytes_is_too_large(self, someone: Partaker) -> None:
        refused(await someone.upload(photo() + b"\x00" * 8_000_000), 413, "payload_too_large")
        assert (await someone.upload(photo() + b"\x00" * 7_900_000)).status_code == 201

    async def test_the_file_must_be_there_and_its_sender_signed_in(
        self, someone: Partaker, client: httpx.AsyncClient
    ) -> None:
        url = "/issuance/v1/photos"
        missing = await client.post(url, files={"other": b"x"}, headers=someone.person.headers)
        assert ("body.file", "missing") in faults(missing)
        refused(await client.post(url, files={"file": photo()}), 401, "unauthenticated")

    async def test_nobody_hoards_photos_that_no_report_uses(self, someone: Partaker, objects: Path) -> None:
        for seed in range(UNUSED_MAX):
            await someone.photo(photo(100 + seed))
        before = len(stored(objects))
        refused(await someone.upload(photo(99)), 409, "too_many_photos")
        assert len(stored(objects)) == before
        assert (await someone.upload(photo(100))).status_code == 200

    async def test_whoever_gets_no_turn_in_time_is_told_to_come_back(
        self, kit: Kit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr("services.issuance.photos.operations._WAIT_SECONDS", 0.05)
        photos, citizen = Photos(kit, LocalObjects(tmp_path)), (await new_person(kit)).citizen
        slow, go_on = SlowUpload(photo(14)), asyncio.Event()
        slow.go_on = go_on
        others = [asyncio.create_task(photos.keep(citizen, slow)) for _ in range(2)]
        await slow.begun.wait()
        with pytest.raises(Busy):
            await photos.keep(citizen, SlowUpload(photo(15)))
        go_on.set()
        kept = await asyncio.gather(*others)
        assert sorted(entry.replayed for entry in kept) == [False, True]
        # The turns were given back, also by those who were refused.
        for _ in range(3):
            with pytest.raises(InvalidRequest):
                await photos.keep(citizen, SlowUpload(b"no picture"))

    async def test_only_staff_who_may_read_see_photos(self, someone: Partaker, desk: Desk, kit: Kit) -> None:
        url = f"/issuance/v1/photos/{await someone.photo(photo(13))}"
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        institution = await signed_in_staff(kit, Role.INSTITUTION, institution_id="i1")
        statuses = [
            (await desk.client.get(url, headers=headers)).status_code
            for headers in (auditor, institution, someone.person.headers, {})
        ]
        assert statuses == [200, 403, 401, 401]
        for photo_id in ("00" + "0" * 32, "x"):
            refused(await shown(desk, photo_id), 404, "not_found")


class TestInALead:
    async def test_a_lead_shows_its_photos_in_their_order(
        self, someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        ids = [await someone.photo(photo(seed)) for seed in (21, 22, 23)][::-1]
        lead = await someone.send(campaign.slug, "lead", LEAD | {"photos": ids})
        seen = (await desk.client.get(f"/issuance/v1/activities/{lead}", headers=desk.one)).json()
        assert [entry["photo_id"] for entry in seen["photos"]] == ids
        assert seen["evidence"] == LEAD

    async def test_a_photo_is_evidence_of_one_lead_of_its_own_person(
        self, someone: Partaker, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
    ) -> None:
        campaign = await open_ways(kit, clock)
        neighbour = Partaker(client, await new_person(kit))
        used, theirs, free = (
            await someone.photo(photo(31)),
            await neighbour.photo(photo(32)),
            await someone.photo(photo(33)),
        )
        await someone.send(campaign.slug, "lead", LEAD | {"photos": [used]})
        answer = await someone.take_part(
            campaign.slug, "lead", LEAD | {"photos": [free, used, theirs, "made up"]}
        )
        assert faults(answer) == {
            ("body.evidence.photos.1", "photo_used"),
            ("body.evidence.photos.2", "photo_unknown"),
            ("body.evidence.photos.3", "photo_unknown"),
        }
        # The refused lead has not taken the free one.
        await someone.send(campaign.slug, "lead", LEAD | {"photos": [free]})


async def test_photos_that_nothing_used_within_a_day_are_forgotten(
    someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock, objects: Path
) -> None:
    campaign = await open_ways(kit, clock)
    used, unused = await someone.photo(photo(41)), await someone.photo(photo(42))
    await someone.send(campaign.slug, "lead", LEAD | {"photos": [used]})
    [row] = await rows(kit, "SELECT address FROM issuance.photo WHERE id = :id", id=unused[2:])
    wiring = build(kit)

    clock.advance(seconds=UNUSED_FOR.total_seconds())
    await wiring.photos.drop_unused()
    assert (await shown(desk, unused)).status_code == 200
    clock.advance(seconds=1)
    await wiring.photos.drop_unused()
    await wiring.photos.drop_unused()
    assert (await shown(desk, unused)).status_code == 404
    assert await drain(kit, parts(wiring)) >= 1
    assert row.address not in {path.name for path in stored(objects)}
    assert (await shown(desk, used)).status_code == 200

    late = await someone.take_part(campaign.slug, "lead", LEAD | {"photos": [unused]})
    assert faults(late) == {("body.evidence.photos.0", "photo_unknown")}
    assert timedelta(days=1) == UNUSED_FOR
