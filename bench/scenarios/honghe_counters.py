"""Honghe's tills in the story: write-offs in every county, reversals, an upload, a burst."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from bench.scenarios.honghe_books import Books, Guest, Holding, Used
from bench.scenarios.honghe_people import HonghePeople
from bench.simulator.cashiers import Till, activated
from bench.simulator.clerks import Clerks
from bench.simulator.crowd import at_once
from bench.simulator.persons import resident_id
from bench.simulator.platform import Platform, request_no
from bench.simulator.signing import Signer
from shared.clients.terminal import OfflineItem, Redemption
from shared.clock import CHINA

_SEED = 20201101
_CONCURRENT = 8
_BILLS_FEN = (2_150, 3_280, 5_000, 6_480, 8_850, 10_900, 12_600)
# Every seventh is reversed, and half of those are used again.
_REVERSED_EACH = 7
# A third of the winners go where few have been, so that each county has somebody to pay.
_ELSEWHERE = 0.34
_NUCLEIC = "nucleic_acid_test"
_API = "/redemption/v1"


@dataclass(slots=True)
class HongheCounters:
    platform: Platform
    clerks: Clerks
    directory: Sequence[Mapping[str, Any]]
    institution_ids: Sequence[str]
    books: Books
    tills: dict[int, Till] = field(default_factory=dict)
    # voucher → where its holder went
    _place_of: dict[str, int] = field(default_factory=dict)
    _visited: Counter[str] = field(default_factory=Counter)
    _rng: Random = field(default_factory=lambda: Random(_SEED))
    _served: int = 0

    async def use(self, holdings: Sequence[Holding], day: int, *, reversing: bool = True) -> None:
        """Everybody goes somewhere that takes the voucher; a till serves one after the other.

        `reversing`: some change their minds at the till.
        """
        queues: dict[int, list[Holding]] = defaultdict(list)
        for holding in holdings:
            queues[self._place_for(holding)].append(holding)

        async def serve(place: int) -> None:
            till = await self.till(place)
            for holding in queues[place]:
                await self._serve(till, holding, day, reversing=reversing)

        await at_once(queues, serve, concurrent=_CONCURRENT)

    async def till(self, place: int) -> Till:
        """The institution's one till in use, activated when it is first needed."""
        if place not in self.tills:
            code = await self.clerks.activation_code(self.institution_ids[place], "收银台 1")
            self.tills[place] = await activated(
                self.platform, code, device_id=f"demo-{place}", now=self.clerks.time.now
            )
        return self.tills[place]

    async def by_id_number(self, holding: Holding, day: int) -> None:
        """Somebody without a phone shows an id card."""
        till = await self.till(self._place_for(holding))
        body: dict[str, Any] = {
            "request_no": request_no(),
            "id_number": resident_id(holding.guest.citizen.number),
            "voucher_type": holding.voucher_type,
            "reason": "（演示）老人未带手机，已核对身份证",
        }
        if holding.general:
            body["bill_fen"] = self._bill()
        done = (await self._signer(till).post(f"{_API}/redemptions/manual", body)).body
        self._book(till, done["request_no"], done["voucher_type"], done["applied_fen"], day)
        self.books.manual += 1

    async def upload(self, holdings: Sequence[Holding], again: Holding, day: int) -> None:
        """A till without a line kept these for an hour; `again` has been used elsewhere meanwhile."""
        used_at = self._place_of[again.voucher["id"]]
        place = next(
            place
            for place, entry in enumerate(self.directory)
            if again.voucher_type in entry["accepts"] and place != used_at
        )
        taken = [*(one for one in holdings if one.voucher_type in self.directory[place]["accepts"]), again]
        till = await self.till(place)
        at = self.clerks.time.now() - timedelta(hours=1)
        items = [
            OfflineItem(
                request_no=f"off-{secrets.token_hex(8)}",
                voucher=one.voucher["code"],
                used_at=at + timedelta(minutes=4 * number),
                bill_fen=self._bill() if one.general else None,
            )
            for number, one in enumerate(taken)
        ]
        answered = await till.client.upload(f"offline-{secrets.token_hex(8)}", items)
        for one, item, result in zip(taken, items, answered.results, strict=True):
            if result.outcome == "redeemed":
                done = await till.client.find(item.request_no)
                fen = 0 if done is None else done.applied_fen or 0
                self._book(till, item.request_no, one.voucher_type, fen, day)
            self.books.conflicts += result.outcome == "conflict"

    async def burst(self, people: HonghePeople, day: int, at_most: int) -> None:
        """One shop collects other people's awards: claimed and written off within minutes, always in full."""
        place = next(i for i, entry in enumerate(self.directory) if "general_50" in entry["accepts"])
        till = await self.till(place)
        taken, people.awards = people.awards[-at_most:], people.awards[:-at_most]

        async def cash(one: tuple[Guest, str, int]) -> None:
            guest, award, _ = one
            holding = await people.claim(guest, award, day, ("general_50", "general_100"))
            people.holdings.remove(holding)
            bill = int(holding.voucher["face_value_fen"])
            self._book_done(till, await till.redeem(holding.voucher["code"], bill), day)

        await at_once(taken, cash, concurrent=1)

    async def close_day(self, day: int) -> None:
        """Each till compares its day with ours."""
        lines: dict[str, list[int]] = defaultdict(list)
        for one in self.books.used.values():
            if one.day == day:
                lines[one.institution_id].append(one.applied_fen)
        today = self.clerks.time.now().astimezone(CHINA).date()

        async def close(place: int) -> None:
            fen = lines.get(self.institution_ids[place], [])
            if fen:
                await self.tills[place].client.close_day(today, count=len(fen), applied_fen=sum(fen))

        await at_once(list(self.tills), close, concurrent=_CONCURRENT)

    def _place_for(self, holding: Holding) -> int:
        """Popular places stand first in the directory; every other one goes where few have been."""
        places = [
            place for place, entry in enumerate(self.directory) if holding.voucher_type in entry["accepts"]
        ]
        if self._rng.random() < _ELSEWHERE:
            place = min(places, key=lambda one: self._visited[self.directory[one]["county"]])
        else:
            weights = [1 / (rank + 1) for rank in range(len(places))]
            place = self._rng.choices(places, weights=weights)[0]
        self._visited[self.directory[place]["county"]] += 1
        self._place_of[holding.voucher["id"]] = place
        return place

    async def _serve(self, till: Till, holding: Holding, day: int, *, reversing: bool) -> None:
        bill = self._bill() if holding.general else None
        self._served += 1
        number = self._served
        # Half show the QR, half read out the digits.
        code = holding.voucher["code"]
        shown = await holding.guest.citizen.token(holding.voucher["id"]) if number % 2 else code
        asked = await till.verify(shown, bill)
        if not asked.redeemable:
            raise AssertionError(f"a fresh voucher is refused: {asked}")
        done = await till.redeem(shown, bill)
        self._book_done(till, done, day)
        if done.voucher_type == _NUCLEIC:
            # A till cannot undo what it reported.
            await self._tell_result(till, done)
        elif reversing and number % _REVERSED_EACH == 0:
            await till.reverse(done.request_no, "顾客取消 customer changed their mind")
            del self.books.used[done.request_no]
            self.books.reversed += 1
            if number % (2 * _REVERSED_EACH) == 0:
                self._book_done(till, await till.redeem(code, bill), day)

    async def _tell_result(self, till: Till, done: Redemption) -> None:
        body = {
            "request_no": request_no(),
            "kind": _NUCLEIC,
            "report_no": f"DEMO-{self._served:05d}",
            "result": "阴性（演示）",
            "performed_at": self.clerks.time.now().isoformat(timespec="seconds"),
        }
        await self._signer(till).post(f"{_API}/redemptions/{done.id}/service-result", body)

    def _signer(self, till: Till) -> Signer:
        client = till.client
        return Signer(self.platform, client.terminal_id, client.terminal_key, self.clerks.time.now)

    def _bill(self) -> int:
        return self._rng.choice(_BILLS_FEN)

    def _book_done(self, till: Till, done: Redemption, day: int) -> None:
        self._book(till, done.request_no, done.voucher_type, done.applied_fen, day)

    def _book(self, till: Till, number: str, voucher_type: str, applied_fen: int, day: int) -> None:
        self.books.used[number] = Used(till.institution_id, day, voucher_type, applied_fen)
