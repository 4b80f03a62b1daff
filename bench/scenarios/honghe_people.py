"""Honghe's citizens in the story: five ways to take part, the draw, and what the winners choose."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from PIL import Image

from bench.scenarios.honghe_books import Books, Guest, Holding
from bench.scenarios.honghe_days import WISHES, Visit
from bench.scenarios.honghe_plan import wishes
from bench.simulator.citizens import AnswerKey, Citizen
from bench.simulator.crowd import at_once
from bench.simulator.platform import Platform

_CONCURRENT = 16
_SEED = 20201101
# As the (assumed) definition limits them: what goes beyond would only be refused.
_VOUCHERS_A_PERSON = 2
_DRAWS_A_DAY = 5
# So many winners of a hundred let their award lapse.
_FORGETFUL_PERCENT = 4

# 爱国卫生“7个专项行动”, each with what somebody might report.
_LEADS = (
    ("清垃圾", "路边垃圾桶已满，两天没有清运"),
    ("扫厕所", "公共厕所地面积水，没有洗手液"),
    ("勤洗手", "学校门口的洗手台没有出水"),
    ("净餐馆", "后厨地面有污水，垃圾桶没有盖子"),
    ("常消毒", "电梯按钮旁的消毒记录一周没有更新"),
    ("管集市", "活禽摊位与熟食摊位没有分开"),
    ("众参与", "小区宣传栏的卫生公约已经破损"),
)
_COMMENTS = (
    "今天参加了答题，学到了垃圾分类的知识，大家也来试试",
    "我们社区的清洁日很热闹，点赞",
    "消费券抽中了体检，全家都高兴，谢谢家乡",
    "勤洗手、常消毒，从我做起",
    "关注了“红河卫健”，内容很实用",
    "周末去健身步道走了一圈，空气真好",
)


@dataclass(slots=True)
class HonghePeople:
    platform: Platform
    slug: str
    key: AnswerKey
    types: Sequence[str]
    counties: Sequence[str]
    books: Books
    guests: dict[int, Guest] = field(default_factory=dict)
    # activity_id → who gets its chances
    reported: dict[str, Guest] = field(default_factory=dict)
    holdings: list[Holding] = field(default_factory=list)
    # Awards whose winners have not chosen: (who, award, day).
    awards: list[tuple[Guest, str, int]] = field(default_factory=list)

    async def arrive(self, persons: Sequence[int]) -> None:
        """Signs in, and says who they are: without that nobody draws."""

        async def come(person: int) -> None:
            citizen = Citizen(self.platform, person)
            await citizen.sign_in()
            await citizen.bind_identity()
            self.guests[person] = Guest(citizen)

        await at_once(persons, come, concurrent=_CONCURRENT)

    async def take_part(
        self, visits: Sequence[Visit], day: int, *, event: Mapping[str, str] | None, keep_awards: bool
    ) -> None:
        """`keep_awards`: today's winners do not choose a voucher yet."""

        async def visit(one: Visit) -> None:
            rng = Random(f"{_SEED}/{day}/{one.person}")
            guest = self.guests[one.person]
            await self._answer(guest, one, rng)
            await self._report(guest, one, rng, event)
            await self._draw(guest, day, rng, keep_awards=keep_awards)

        await at_once(visits, visit, concurrent=_CONCURRENT)

    async def _answer(self, guest: Guest, visit: Visit, rng: Random) -> None:
        for attempt in range(visit.attempts):
            passes = visit.passes and attempt == visit.attempts - 1
            result = await guest.citizen.take_quiz(
                self.slug, self.key, should_pass=passes, rng=rng, slips=visit.slips
            )
            self.books.attempts += 1
            self.books.passed += passes
            guest.chances += result["chances_granted"]

    async def _report(self, guest: Guest, visit: Visit, rng: Random, event: Mapping[str, str] | None) -> None:
        if visit.checks_in and event is not None:
            evidence: dict[str, object] = {"check_in_code": event["check_in_code"]}
            await self._hand_in(guest, event["channel"], evidence)
        if visit.shares:
            evidence = {
                "url": f"https://example.com/demo/share/{visit.person}-{rng.randrange(1000)}",
                "text": f"（演示）{rng.choice(_COMMENTS)}。{rng.choice(self.counties)}，{visit.person}号",
            }
            await self._hand_in(guest, "share", evidence)
        if visit.reports:
            category, told = rng.choice(_LEADS)
            evidence = {
                "category": category,
                "place": f"示例地址：{rng.choice(self.counties)}示例路{rng.randrange(1, 200)}号",
                "description": f"（演示）{told}。",
                "photos": [await guest.citizen.photo(_photo(rng))],
            }
            await self._hand_in(guest, "lead", evidence)

    async def _hand_in(self, guest: Guest, channel: str, evidence: Mapping[str, object]) -> None:
        taken = await guest.citizen.report(self.slug, channel, evidence)
        guest.chances += taken["chances_granted"]
        if taken["status"] == "pending":
            self.books.waiting += 1
            self.reported[taken["activity_id"]] = guest
        else:
            self.books.accepted[channel] += 1

    async def _draw(self, guest: Guest, day: int, rng: Random, *, keep_awards: bool) -> None:
        for _ in range(min(guest.chances, _DRAWS_A_DAY)):
            if guest.won >= _VOUCHERS_A_PERSON:
                return
            drawn = await guest.citizen.draw(self.slug)
            guest.chances -= 1
            self.books.draws += 1
            if not drawn["won"]:
                continue
            guest.won += 1
            self.books.won += 1
            award = str(drawn["award"]["id"])
            if keep_awards or rng.randrange(100) < _FORGETFUL_PERCENT:
                self.awards.append((guest, award, day))
            else:
                await self.claim(guest, award, day, wishes(rng, WISHES, self.types))

    async def choose_late(self, since: int, day: int) -> None:
        """Those who won on that day or later and had put it off choose now."""
        late = [one for one in self.awards if one[2] >= since]
        self.awards = [one for one in self.awards if one[2] < since]

        async def choose(one: tuple[Guest, str, int]) -> None:
            guest, award, _ = one
            rng = Random(f"{_SEED}/late/{guest.citizen.number}")
            await self.claim(guest, award, day, wishes(rng, WISHES, self.types))

        await at_once(late, choose, concurrent=_CONCURRENT)

    async def claim(self, guest: Guest, award: str, day: int, wished: Sequence[str]) -> Holding:
        holding = Holding(guest, await guest.citizen.claim(award, wished), day)
        self.books.issued[holding.voucher_type] += 1
        self.holdings.append(holding)
        return holding


def _photo(rng: Random) -> bytes:
    """A small picture of coloured fields, unlike any other: no real place is shown."""
    small = Image.new("RGB", (8, 6))
    small.putdata([(rng.randrange(256), rng.randrange(256), rng.randrange(256)) for _ in range(8 * 6)])
    written = io.BytesIO()
    small.resize((320, 240), Image.Resampling.BICUBIC).save(written, "JPEG", quality=70)
    return written.getvalue()
