"""Where jobs, dead letters and imports of the services are found, in words. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

# Services whose awaited jobs are listed.
SERVICES: Mapping[str, tuple[str, str]] = {
    "issuance": ("发放", "issuance"),
    "redemption": ("核销", "redemption"),
    "quota": ("发卡任务", "card programmes"),
    "console": ("管理台", "console"),
}
STATES: Mapping[str, tuple[str, str, str]] = {
    "queued": ("排队", "queued", "paused"),
    "running": ("进行中", "running", ""),
    "succeeded": ("完成", "done", "good"),
    "failed": ("失败", "failed", "bad"),
}


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters of one kind: the service and path of their calls."""

    key: str
    service: str
    path: tuple[str, ...]
    zh: str
    en: str


LETTERS = (
    Letters("notices", "issuance", ("notices", "dead-letters"), "通知", "notices"),
    Letters("results", "redemption", ("service-results", "dead-letters"), "服务结果回传", "service results"),
    Letters("days", "redemption", ("risk", "dead-letters"), "风险日核算", "days of signals"),
)


def letters_of(key: str) -> Letters | None:
    return next((letters for letters in LETTERS if letters.key == key), None)
