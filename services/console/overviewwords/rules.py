"""What the first page tells of before any figure: what waits, what is wrong, where to go next. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.identity.staff import Role

Words = tuple[str, str]


class Piece(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def remaining(self) -> int: ...


class Running(Protocol):
    """A campaign that is not over."""

    @property
    def title(self) -> str: ...
    @property
    def low(self) -> Sequence[Piece]: ...


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that is wrong or soon will be: what, what to do, and where."""

    tone: Literal["bad", "paused"]
    what: Words
    advice: Words
    path: str


@dataclass(frozen=True, slots=True)
class Waits:
    """Something that waits for somebody of the bureau."""

    what: Words
    count: int
    path: str


def waits_of(*, changes: int, reviews: int, jobs: int) -> list[Waits]:
    every = (
        Waits(("项变更等待审批", "changes to be decided"), changes, "/console/changes"),
        Waits(("份参与材料等待审核", "activities to be reviewed"), reviews, "/console/reviews"),
        Waits(("项后台事项失败", "background items failed"), jobs, "/console/jobs"),
    )
    return [one for one in every if one.count]


def warnings_of(
    *, whole: bool, failed: int, strayed: Sequence[str], running: Sequence[Running]
) -> list[Warned]:
    """What is wrong first. `strayed` are the titles of campaigns whose draws left the announced odds."""
    found = []
    if not whole:
        found.append(
            Warned(
                "bad",
                ("完整性核验发现不一致", "the integrity check does not hold"),
                (
                    "暂停相关审批和付款，按核验页的说明处理",
                    "hold approvals and payments, do as its page says",
                ),
                "/console/integrity",
            )
        )
    found += [
        Warned(
            "bad",
            (f"“{title}”的实际中奖率偏离公布值", f"draws of “{title}” stray from the announced odds"),
            ("请在中奖率测算页核对，并告知运维人员", "compare in the planner and tell the operators"),
            "/console/planner",
        )
        for title in strayed
    ]
    if failed:
        found.append(
            Warned(
                "bad",
                (f"{failed} 项后台事项多次失败", f"{failed} background items failed for good"),
                ("到任务中心重试或搁置", "try them again in the job centre"),
                "/console/jobs",
            )
        )
    found += [_stock(board) for board in running if board.low]
    return found


def _stock(board: Running) -> Warned:
    names = "、".join(f"{line.name} {line.remaining}" for line in board.low)
    return Warned(
        "paused",
        (f"“{board.title}”库存不到一成：{names}", f"“{board.title}” has less than a tenth left of: {names}"),
        ("提交变更调整库存，或等待下一期", "propose a change of stock, or wait for the next phase"),
        "/console/campaigns",
    )


_SHORTCUTS: Sequence[tuple[Role, Sequence[tuple[Words, str]]]] = (
    (
        Role.ADMIN,
        (
            (("人员与权限", "Staff"), "/console/staff"),
            (("变更审批", "Changes"), "/console/changes"),
            (("系统健康", "System health"), "/console/health"),
            (("任务中心", "Job centre"), "/console/jobs"),
        ),
    ),
    (
        Role.OPERATOR,
        (
            (("变更审批", "Changes"), "/console/changes"),
            (("审核", "Reviews"), "/console/reviews"),
            (("消费券查询", "Vouchers"), "/console/vouchers"),
            (("导入中心", "Imports"), "/console/imports"),
        ),
    ),
    (
        Role.AUDITOR,
        (
            (("操作日志", "Audit log"), "/console/audit"),
            (("完整性核验", "Integrity"), "/console/integrity"),
            (("结算", "Settlements"), "/console/settlements"),
            (("风险线索", "Risk cases"), "/console/risk/cases"),
        ),
    ),
)


def shortcuts_of(roles: Collection[Role]) -> list[tuple[Words, str]]:
    """Where the holder of these roles mostly goes, each place once."""
    found = [entry for role, entries in _SHORTCUTS if role in roles for entry in entries]
    return list(dict.fromkeys(found))
