"""What Honghe's clerks do in the story: events, reviews, lists, and what waits for a second person."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.scenarios.honghe_days import event_of
from bench.scenarios.honghe_people import HonghePeople
from bench.simulator.clerks import Clerks
from bench.simulator.crowd import at_once
from bench.simulator.persons import resident_id
from bench.simulator.platform import Platform

_SEED = 20201103
_CONCURRENT = 8
_ACCEPTED_SHARE = 0.8
# Left for whoever opens the page.
_LEFT_WAITING = 3
_EXAMPLES = 6
_HOURS = "周一至周日 08:00-18:00"
_BAD_ROWS = 3
_EVENT_NAMES = {
    "event": "（演示）爱国卫生清洁日",
    "fitness": "（演示）全民健身健步走",
}
_REJECTIONS = {
    "share": "（演示）链接无法打开，看不到转发内容。",
    "lead": "（演示）照片与描述的地点不符，请补充后重新提交。",
}
_OPENS, _CLOSES = timedelta(hours=8), timedelta(hours=19)


@dataclass(slots=True)
class HongheOffice:
    platform: Platform
    clerks: Clerks
    slug: str
    people: HonghePeople

    @property
    def _campaign(self) -> str:
        return f"/issuance/v1/campaigns/{self.slug}"

    async def prepare_events(self, first_day: datetime, days: int) -> list[dict[str, str] | None]:
        """One for each day that has one: `{channel, check_in_code}`."""
        made: list[dict[str, str] | None] = []
        counties = self.people.counties
        for day in range(days):
            channel = event_of(day)
            if channel is None:
                made.append(None)
                continue
            midnight = first_day.replace(hour=0, minute=0) + timedelta(days=day)
            county = counties[day % len(counties)]
            body = {
                "name": f"{_EVENT_NAMES[channel]}·{county}",
                "channel": channel,
                "place": f"示例地点：{county}人民广场",
                "starts_at": (midnight + _OPENS).isoformat(),
                "ends_at": (midnight + _CLOSES).isoformat(),
            }
            event = await self.platform.post(f"{self._campaign}/events", body, headers=self.clerks.second)
            made.append({"channel": channel, "check_in_code": event.body["check_in_code"]})
        return made

    async def review(self, *, leave: int = _LEFT_WAITING) -> None:
        """Judges what people handed in, but for the newest few; who is accepted gets the chances."""
        path = f"/issuance/v1/activities?status=pending&campaign={self.slug}&limit=200"
        waiting = (await self.platform.get(path, headers=self.clerks.second))["items"]
        waiting.sort(key=lambda item: item["submitted_at"])
        books = self.people.books

        async def judge(item: Mapping[str, Any]) -> None:
            channel = item["channel"]
            accepted = Random(f"{_SEED}/{item['activity_id']}").random() < _ACCEPTED_SHARE
            body: dict[str, str] = {"decision": "accept"}
            if not accepted:
                body = {"decision": "reject", "note": _REJECTIONS[channel]}
            judged = await self.platform.post(
                f"/issuance/v1/activities/{item['activity_id']}/review", body, headers=self.clerks.second
            )
            books.waiting -= 1
            if accepted:
                books.accepted[channel] += 1
                self.people.reported[item["activity_id"]].chances += judged.body["chances_granted"]

        await at_once(waiting[: max(0, len(waiting) - leave)], judge, concurrent=_CONCURRENT)

    async def import_lists(
        self, directory: Sequence[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]]
    ) -> dict[str, int]:
        """Lists as offices hand them in: most rows are known already, three of each cannot be read."""
        known = [
            (
                {"机构名称": one["name"], "类别": one["category"], "县市": one["county"]}
                | {"地址": f"{one['address']}（已核对）", "统一社会信用代码": one["credit_code"]}
                | {"营业时间": _HOURS, "受理券种": "、".join(one["accepts"])}
            )
            for one in directory[:_EXAMPLES]
        ]
        bad = [
            {**known[0], "机构名称": "", "统一社会信用代码": ""},
            {**known[1], "机构名称": "示例·券种写错的机构", "统一社会信用代码": "", "受理券种": "不存在的券"},
            {**known[2], "机构名称": "示例·没有类别的机构", "统一社会信用代码": "", "类别": ""},
        ]
        institutions = await self._upload(
            f"/redemption/v1/institutions/import?campaign={self.slug}&dry_run=false",
            "institutions.csv",
            [*known, *bad],
        )
        repeated = [_sheet_row(question) for question in questions[:_EXAMPLES]]
        spoiled = [
            {**repeated[0], "题目": ""},
            {**repeated[1], "题目": "（演示）答案写错的题目？", "答案": "Z"},
            {**repeated[2], "题目": "（演示）没有答案的题目？", "答案": ""},
        ]
        asked = await self._upload(
            f"{self._campaign}/questions/import?dry_run=false", "questions.csv", [*repeated, *spoiled]
        )
        return {"institutions": institutions["rejected"], "questions": asked["rejected"]}

    @property
    def bad_rows(self) -> int:
        return _BAD_ROWS

    async def exclude(self) -> None:
        """Two of the bureau's own staff, who may not draw: by id numbers that nobody else has."""
        for number in range(2):
            body = {
                "list": "staff",
                "id_number": resident_id(9_000_000 + number),
                "reason": "（演示）主办单位工作人员，不参与抽奖",
            }
            await self.platform.post(f"{self._campaign}/exclusions", body, headers=self.clerks.first)

    async def statistics(self) -> None:
        """Asks for the questions' statistics, which a job computes."""
        await self.platform.post(f"{self._campaign}/questions/statistics", {}, headers=self.clerks.first)

    async def proposals(self) -> None:
        """What waits for a second person at the end, and one thing that was refused."""
        turned_down = await self.clerks.proposed(
            "issuance",
            f"campaigns/{self.slug}/phases/2/odds",
            {"odds": "0.9", "reason": "（演示）希望更多人中奖"},
        )
        await self.platform.post(
            f"/issuance/v1/changes/{turned_down}/reject",
            {"reason": "（演示）按测算库存两天即发完，请重新测算"},
            headers=self.clerks.second,
        )
        await self.clerks.proposed(
            "issuance",
            f"campaigns/{self.slug}/phases/2/odds",
            {"odds": "0.45", "reason": "（演示）第一期参与人数逐日下降，第二期适当提高"},
        )
        await self.clerks.proposed(
            "issuance",
            f"campaigns/{self.slug}/phases/2/stock",
            {"voucher_type": "disinfection_kit", "delta": 500, "reason": "（演示）消毒用品券领取踊跃"},
        )

    async def _upload(self, path: str, name: str, rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue().encode("utf-8-sig")
        report: dict[str, Any] = (
            await self.platform.upload(path, name=name, content=content, headers=self.clerks.first)
        ).body
        return report


def _sheet_row(question: Mapping[str, Any]) -> dict[str, str]:
    options = question["options"]
    return {
        "题目": str(question["text"]),
        **{f"选项{letter}": str(options.get(letter, "")) for letter in "ABCDEF"},
        "答案": "".join(question["answer"]),
        "解析": str(question.get("explanation", "")),
    }
