"""The page that verifies draws agrees with the stand-alone verifier, and works as a citizen sees it."""

import base64
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from sqlalchemy import text

from deploy.local.asgi import OneOrigin
from deploy.verify_draws import findings
from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.browser import Tab, browsing, look
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.draw_logs import log_of, sound_log
from tests.support.http import listening, serving
from tests.support.mutations import mutated

STATIC = Path(__file__).parents[2] / "services" / "console" / "pages" / "static"
MUTATIONS = 300
HARNESS = """<!doctype html><body><script type="module">
import { LogCheck, Lines, selfCheck } from "/drawlog.js";
await selfCheck();
const found = (await (await fetch("/cases.json")).json()).map(({ log, audits }, turn) => {
  const faults = [];
  const check = new LogCheck(audits);
  const lines = new Lines((line) => faults.push(...check.take(line)));
  const bytes = Uint8Array.from(atob(log), (letter) => letter.charCodeAt(0));
  for (let at = 0, size = 1 + turn % 700; at < bytes.length; at += size) {
    lines.push(bytes.subarray(at, at + size));
  }
  lines.rest();
  faults.push(...check.end());
  return faults.map(({ line, code }) => [line, code]);
});
globalThis.found = found;
</script>"""


async def judged_in_the_browser(cases: list[dict[str, Any]]) -> list[list[tuple[int | None, str]]]:
    app = FastAPI()
    app.get("/")(lambda: HTMLResponse(HARNESS))
    app.get("/drawlog.js")(lambda: FileResponse(STATIC / "drawlog.js", media_type="text/javascript"))
    app.get("/cases.json")(lambda: JSONResponse(cases))
    async with listening(app) as address, browsing() as tab:
        await tab.open(f"{address}/")
        await tab.until("globalThis.found !== undefined")
        found = await tab.evaluate("JSON.stringify(found)")
    return [[(line, code) for line, code in faults] for faults in json.loads(found)]


def lines_of(log: bytes, audits: list[Any]) -> set[int | None]:
    """The lines that the stand-alone verifier finds fault with; None for the whole log."""
    found = [re.match(r"line (\d+):", finding) for finding in findings(io.BytesIO(log), audits)]
    return {int(match[1]) if match else None for match in found}


async def test_the_page_finds_what_the_stand_alone_verifier_finds() -> None:
    log = sound_log("0.2", later_odds="0.4")
    audits = [log.audit, log.running(4)]
    logs = [b"".join(lines) for _, lines in mutated(log, MUTATIONS)]
    cases = [(each, audits) for each in logs] + [(each, []) for each in logs[: MUTATIONS // 3]]
    told = await judged_in_the_browser(
        [{"log": base64.b64encode(each).decode(), "audits": given} for each, given in cases]
    )
    for (each, given), faults in zip(cases, told, strict=True):
        expected, found = lines_of(each, given), {line for line, _ in faults}
        assert expected <= found, (each, given, faults)
        # What reads the same but is written otherwise is a fault of form here, and needs a root there.
        assert {line for line, code in faults if code not in {"form", "head"}} <= expected | {None}, faults
        assert not given or faults


async def test_the_page_finds_nothing_wrong_with_sound_logs() -> None:
    odds = ("0.2", "0.000001", "0.999999", "0.1", "0.123456", "1")
    logs = [*map(sound_log, odds), log_of([], hours=[0, 0])]
    cases = [
        {"log": base64.b64encode(b"".join(log.lines)).decode(), "audits": given}
        for log in logs
        for given in ([log.audit], [log.running(2), log.audit], [])
    ]
    assert await judged_in_the_browser(cases) == [[] for _ in cases]


@asynccontextmanager
async def origin(settings: Settings, clock: ManualClock) -> AsyncIterator[str]:
    apps = {"console": console(settings, clock=clock), "issuance": issuance(settings, clock=clock)}
    served = OneOrigin(apps, rest="console")
    async with listening(served) as address:
        yield address


@pytest.fixture(scope="module")
async def closed(settings: Settings, kit: Kit, clock: ManualClock) -> Published:
    """A phase of ninety minutes with nine draws, long over."""
    limits = {"draws_per_day": 100, "vouchers_per_phase": 100}
    campaign = await open_campaign(kit, clock, odds="0.5", limits=limits, lasts=timedelta(minutes=90))
    async with serving(issuance=issuance(settings, clock=clock)) as client:
        for turn in range(3):
            hands = Hands(client, await new_person(kit))
            await give_chances(kit, hands.person, campaign, 3)
            for number in range(3):
                drawn = await hands.draw(campaign.slug, client_seed=f"{turn}红河{number}")
                assert drawn.status_code == 201
            clock.advance(minutes=29)
        clock.advance(hours=2)
    return campaign


async def shown(tab: Tab) -> dict[str, str]:
    """The result once there is one: its state, and the text of its parts."""
    await tab.until("!['', 'running', undefined].includes(document.getElementById('result').dataset.state)")
    ids = ["verdict", "draws", "won", "roots", "faults-count", "faults"]
    told = await tab.evaluate(f"""JSON.stringify({{
        state: document.getElementById('result').dataset.state,
        ...Object.fromEntries({ids}.map((id) => [id, document.getElementById(id).innerText])),
    }})""")
    parts: dict[str, str] = json.loads(told)
    return parts


CHANGE = "UPDATE issuance.draw SET client_seed = 'x' WHERE phase_id = :id AND client_seed = '1红河1'"


async def test_a_citizen_sees_that_a_phase_is_sound_and_then_that_it_was_changed(
    settings: Settings, kit: Kit, clock: ManualClock, closed: Published
) -> None:
    async with origin(settings, clock) as address, browsing() as tab:
        page = f"{address}/verify?campaign={closed.slug}&phase=1"
        await tab.open(page)
        found = await shown(tab)
        assert (found["state"], found["verdict"]) == ("sound", "全部抽奖与公布的一致。")
        assert (found["draws"], found["roots"], found["faults-count"]) == ("9", "2 / 2", "0")
        await look(tab, "verify-sound", width=900, height=1100)
        async with kit.database.transaction() as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(text(CHANGE), {"id": closed.phases[0]})
        # A browser keeps a log for a day; who looks for the first time sees what is there now.
        async with browsing() as other:
            await other.open(f"{page}&lang=en")
            found = await shown(other)
            await look(other, "verify-broken", width=900, height=1100)
        assert (found["state"], found["verdict"]) == ("broken", "2 faults found.")
        assert "Line 6: value is" in found["faults"]
        assert re.search(r"Line \d+: the root of 2020-\S+ is not the one of these lines", found["faults"])


async def test_files_that_were_saved_are_compared_without_the_platform(
    settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    log, cut, audit = tmp_path / "log.jsonl", tmp_path / "cut.jsonl", tmp_path / "audit.json"
    sound = sound_log()
    log.write_bytes(b"".join(sound.lines))
    cut.write_bytes(b"".join(sound.lines[:-1]))
    audit.write_text(json.dumps(sound.audit), encoding="utf-8")
    async with origin(settings, clock) as address, browsing() as tab:
        told: list[tuple[str, str]] = []
        for files, audits in ((log, []), (log, [audit]), (cut, []), (cut, [audit]), (log, [log])):
            await tab.open(f"{address}/verify?lang=en&turn={len(told)}")
            await tab.until("!document.getElementById('start').disabled")
            await tab.choose_files("#log", [files])
            await tab.choose_files("#audits", audits)
            await tab.evaluate("document.getElementById('start').click()")
            found = await shown(tab)
            told.append((found["state"], found["draws"]))
    assert told == [("sound", "40"), ("sound", "40"), ("sound", "39"), ("broken", "39"), ("failed", "0")]


async def test_a_phase_that_has_not_closed_is_said_to_be_so(
    settings: Settings, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    async with origin(settings, clock) as address, browsing() as tab:
        await tab.open(f"{address}/verify?campaign={campaign.slug}&phase=1")
        found = await shown(tab)
    assert found["state"] == "failed"
    assert "本期尚未结束" in found["verdict"]
