"""Every page of the menu, for every role, in both languages: there, well made, and all in one language."""

import html
import json
import re
import secrets
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import httpx
import pytest

from services.console.pages.rules import menu_for
from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import STOCK, publish_campaign
from tests.support.markup import chinese_in, english_in, markup_of
from tests.support.pages import signed_in, text_of, whole_console
from tests.support.people import signed_in_staff
from tests.support.quota import bureau_of

BUSY, TRIES = 503, 5
# Pages of the menu that show no list of entries: what they are for instead.
NO_LISTS = {
    "/console": "figures and what waits",
    "/console/templates": "forms and files of one campaign's documents",
    "/console/planner": "sliders and a forecast",
    "/console/institutions/import": "an import; its history is a list of the import centre",
    "/console/quota/table-check": "a file is checked, nothing is kept",
    "/console/health": "what is looked at now",
    "/console/account": "one's own account",
    "/console/own": "figures and what waits",
    "/console/institutions/own": "one institution",
    "/console/hospital": "one hospital",
}
COUNTED = re.compile(r"共 ?[\d,]+ ?(条|家)")
FORM = re.compile(r'<form[^>]*method="get" action="([^"]+)"[^>]*>(.*?)</form>', re.DOTALL)
EXPORT = re.compile(r'<a [^>]*href="([^"]+\.xlsx[^"]*)"[^>]* download>')
# Before anybody took part nobody can foretell anything without a figure.
NEEDED = {"/console/planner": {"daily_attempts": "200"}}


@dataclass(frozen=True, slots=True)
class House:
    """All services with a campaign, an institution and a programme; `data` is whatever they hold."""

    client: httpx.AsyncClient
    kit: Kit
    bound: dict[str, str]
    data: str

    async def as_role(self, role: Role) -> httpx.AsyncClient:
        return signed_in(self.client, await signed_in_staff(self.kit, role, **self.bound))


@pytest.fixture(scope="module")
async def house(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[House]:
    async with whole_console(settings, clock) as client:
        campaign = await publish_campaign(kit, slug=f"pages-{secrets.token_hex(4)}")
        bureau = await bureau_of(client, kit)
        listed = (("A", "Hospital-1", 300), ("B", "Hospital-2", 100))
        programme = await bureau.programme(f"pages-{secrets.token_hex(4)}", *listed, total=900)
        name = f"Shop-{secrets.token_hex(3)}"
        made = await client.post(
            "/redemption/v1/institutions",
            json={
                "name": name,
                "category": "other",
                "accepts": [next(iter(STOCK))],
                "campaign": campaign.slug,
            },
            headers=bureau.operator,
        )
        assert made.status_code == 201, made.text
        parts = await client.get(f"/issuance/v1/campaigns/{campaign.slug}")
        data = json.dumps([parts.json(), programme.hospitals, name], ensure_ascii=False)
        bound = {
            "institution_id": made.json()["id"],
            "hospital_id": programme.hospitals[0]["hospital_id"],
        }
        yield House(client, kit, bound, data)


def paths_of(role: Role) -> list[str]:
    return list(dict.fromkeys(entry.path for group in menu_for([role]) for entry in group.entries))


async def opened(client: httpx.AsyncClient, path: str, **asked: str) -> httpx.Response:
    """On busy cores a page may run out of its time; whoever reads it opens it again."""
    for _ in range(TRIES):
        answer = await client.get(path, params={**NEEDED.get(path, {}), **asked} or None)
        if answer.status_code != BUSY:
            break
    return answer


async def faults_of(house: House, role: Role, language: str, paths: Iterable[str]) -> list[str]:
    client = await house.as_role(role)
    strange = chinese_in if language == "en" else english_in
    found = []
    for path in paths:
        answer = await opened(client, path, lang=language)
        if answer.status_code == 303:
            continue
        if answer.status_code != 200:
            found.append(f"{path}: {answer.status_code}")
            continue
        markup = markup_of(answer.text)
        wrong = markup.faults() + [f"{language}: {text}" for text in strange(markup.chrome, house.data)]
        if "default-src 'none'" not in answer.headers.get("content-security-policy", ""):
            wrong.append("no policy")
        found += [f"{path}: {fault}" for fault in wrong]
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("role", [Role.ADMIN, Role.INSTITUTION, Role.HOSPITAL])
async def test_every_page_of_the_menu_is_well_made_in_one_language(
    house: House, role: Role, language: str
) -> None:
    assert await faults_of(house, role, language, paths_of(role)) == []


async def lacking(client: httpx.AsyncClient, path: str) -> list[str]:
    """What of filters, count and export the page of a list has not."""
    page = await opened(client, path, lang="zh")
    if page.status_code == 303:
        page = await opened(client, page.headers["location"], lang="zh")
    filters = [inner for action, inner in FORM.findall(page.text) if action == path]
    found = []
    if not any(re.search(r'<select|<input (?!type="hidden")', inner) for inner in filters):
        found.append("filters")
    if not COUNTED.search(text_of(page)):
        found.append("count")
    exports = [html.unescape(address) for address in EXPORT.findall(page.text)]
    if not exports:
        found.append("export")
    for address in exports:
        file = await opened(client, address)
        if not file.content.startswith(b"PK"):
            found.append(f"{address}: {file.status_code}")
    return found


@pytest.mark.parametrize("role", [Role.ADMIN, Role.INSTITUTION, Role.HOSPITAL])
async def test_every_list_has_filters_a_count_and_an_export(house: House, role: Role) -> None:
    client = await house.as_role(role)
    lists = [path for path in paths_of(role) if path not in NO_LISTS]
    missing = {path: await lacking(client, path) for path in lists}
    assert {path: parts for path, parts in missing.items() if parts} == {}


# What fits nothing that the house holds.
FITS_NOTHING = {
    "/console/campaigns": {"q": "没有这个活动"},
    "/console/quota/programmes": {"q": "没有这个任务"},
    "/console/screen-links": {"state": "revoked"},
    "/console/jobs": {"state": "running", "service": "quota", "kind": Kind.CARD_EVENTS_UPLOADED.value},
    "/console/reconciliations": {"day": "2020-01-01"},
}


async def test_filters_narrow_what_is_shown_counted_and_exported(house: House) -> None:
    client = await house.as_role(Role.ADMIN)
    for path, asked in FITS_NOTHING.items():
        page = await opened(client, path, lang="zh", **asked)
        assert "共 0 条" in text_of(page), path
        (export, *_) = map(html.unescape, EXPORT.findall(page.text))
        assert len(read_rows((await opened(client, export)).content)) <= 2, path
    badges = re.compile(r'<td><span class="badge (good|bad)">')
    everything, good, bad = [
        badges.findall((await opened(client, "/console/integrity", lang="zh", result=result)).text)
        for result in ("", "holds", "broken")
    ]
    assert (set(good) <= {"good"}, set(bad) <= {"bad"}) == (True, True)
    assert sorted(good + bad) == sorted(everything)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
async def test_every_page_of_the_menu_answers_whoever_finds_it_there(house: House, role: Role) -> None:
    client = await house.as_role(role)
    answers = {path: (await opened(client, path)).status_code for path in paths_of(role)}
    assert {path: status for path, status in answers.items() if status not in {200, 303}} == {}
