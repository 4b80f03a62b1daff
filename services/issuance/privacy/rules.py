"""Where personal data lies, and what becomes of it; the readable form of an export. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the platform does with a table about persons.

    `export` names the section of the export; `forgets` the columns that are emptied when the person is
    forgotten, or `*` for whole rows. Whatever is neither told nor forgotten has its `reason`.
    """

    export: str | None = None
    forgets: tuple[str, ...] = ()
    reason: str | None = None


_LEDGER = "the ledger and its figures stay; it names a person by a random id that leads to nobody any more"
_TEST_OF_DRAWS = (
    "the draw log stays verifiable; it names a person by a random id that leads to nobody any more"
)
_OF_CARDS = "of the card platform's holders, known by a keyed reference only: they have no account here"
_LIMITS = "limits are not reset by coming back; goes when the person's campaigns have ended"

# Every table that leads to a person; a test finds those that are missing.
TREATMENTS: Mapping[str, Treatment] = {
    "core.person": Treatment(
        "identity", ("name_sealed", "id_number_sealed", "name_masked", "verified_at"), "the empty row anchors"
    ),
    "core.person_identity": Treatment("identity", ("account_id",), _LIMITS),
    "core.former_subject": Treatment(reason=_LIMITS),
    "core.account": Treatment("accounts", ("subject_hash", "subject_sealed"), "says that it was erased"),
    "core.consent": Treatment(
        "consents", reason="proof of a lawful basis; names a text and an empty account"
    ),
    "core.voucher": Treatment("vouchers", ("code_sealed",), _LEDGER),
    "core.ledger_transfer": Treatment("vouchers", reason=_LEDGER),
    "core.request": Treatment(
        forgets=("answer_sealed",), reason="answers say again what their own tables say; numbers are random"
    ),
    "issuance.participant": Treatment("participation", reason=_LIMITS),
    "issuance.quiz_attempt": Treatment(
        "attempts", reason="figures and limits; answers to questions of the quiz"
    ),
    "issuance.activity": Treatment("activities", ("evidence_sealed", "subject_hash", "text_bands"), _LEDGER),
    "issuance.activity_decision": Treatment(
        "activities", reason="the reviewer's words about a record, for audit"
    ),
    "issuance.photo": Treatment("photos", ("*",)),
    "issuance.chance": Treatment("chances", reason=_TEST_OF_DRAWS),
    "issuance.draw": Treatment("draws", reason=_TEST_OF_DRAWS),
    "issuance.award": Treatment("awards", reason=_LEDGER),
    "issuance.award_hold": Treatment("holds", reason="signals and counts of a win, for audit; names nobody"),
    "issuance.sighting": Treatment("sightings", ("*",)),
    "core.voucher_origin": Treatment("sightings", ("*",)),
    "issuance.exclusion": Treatment(
        "exclusions", reason="the bureau's own list of who may not take part; goes when retention is over"
    ),
    "issuance.notice": Treatment(
        "notices", ("note",), "what was told about a voucher, without words of its own"
    ),
    "issuance.notice_delivery": Treatment("notices", reason="how often a notice was tried; names nobody"),
    "issuance.notice_preference": Treatment("notice_preferences", ("*",)),
    "issuance.phone_code": Treatment(
        forgets=("*",), reason="a phone that waits to be confirmed; after five minutes it is forgotten"
    ),
    "issuance.inbox_mark": Treatment(forgets=("*",), reason="up to where the inbox was read; shown there"),
    "issuance.notice_grant": Treatment("notice_grants", ("*",)),
    "issuance.erasure": Treatment("erasures", reason="proof that a wish was fulfilled; names nobody"),
    "redemption.redemption": Treatment(
        reason="about a voucher, and told with it from the ledger: institution, time and amount"
    ),
    "issuance.activity_claim": Treatment(reason="which clerk has a record on the desk; about the clerk"),
    "redemption.manual_write_off": Treatment(
        forgets=("reason_sealed",), reason="by redemption's own job: that a till wrote off by id number stays"
    ),
    "redemption.service_result": Treatment(
        forgets=("content_sealed",),
        reason="dropped once it is delivered, or by redemption's own job after its person is forgotten",
    ),
    "redemption.correction": Treatment(reason="about a settled redemption, between payer and institution"),
    "redemption.held_back": Treatment(reason="about a redemption that waits for its settlement"),
    "redemption.settlement_hold": Treatment(reason="about a redemption that is looked at before it is paid"),
    "redemption.risk_case_item": Treatment(reason="about an institution: its redemptions that stood out"),
    "redemption.reversal": Treatment(reason="about a redemption, and told with its voucher from the ledger"),
    "quota.card": Treatment(reason=_OF_CARDS),
    "quota.card_credit": Treatment(reason=_OF_CARDS),
    "quota.card_event": Treatment(reason=_OF_CARDS),
    "quota.card_event_key": Treatment(reason=_OF_CARDS),
    "quota.card_stage": Treatment(reason=_OF_CARDS),
    "quota.card_void": Treatment(reason=_OF_CARDS),
    "quota.stuffing_item": Treatment(reason=_OF_CARDS),
}

TITLES: Mapping[str, str] = {
    "accounts": "登录账号",
    "identity": "实名信息",
    "consents": "授权同意记录",
    "participation": "参与的活动",
    "attempts": "答题记录",
    "activities": "参与记录",
    "photos": "上传的照片",
    "chances": "抽奖机会",
    "draws": "抽奖记录",
    "awards": "中奖记录",
    "vouchers": "消费券及核销记录",
    "notices": "通知记录",
    "notice_preferences": "通知方式",
    "notice_grants": "消息订阅",
    "exclusions": "参与限制",
    "holds": "待核查的中奖",
    "sightings": "设备与网络的匿名标识",
    "erasures": "注销记录",
}

_STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto;line-height:1.6;padding:0 1em}"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.1em 1em;border-top:1px solid #ccc;"
    "padding:.5em 0}"
    "dt{color:#555}dd{margin:0;overflow-wrap:anywhere}"
)


def readable(as_of: str, sections: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The export as a page that a person can read, in Chinese; it loads nothing."""
    parts = [
        f"<h2>{escape(TITLES[name])}（{len(rows)}）</h2>"
        + ("".join(map(_entry, rows)) if rows else "<p>没有记录。</p>")
        for name, rows in sections.items()
    ]
    return (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>我的个人信息</title>'
        f"<style>{_STYLE}</style><h1>我的个人信息</h1>"
        f"<p>本文件列出截至 {escape(as_of)} 平台保存的与您有关的全部信息。"
        "同一份内容的机器可读版本见 data.json，照片见 photos 文件夹。文件含个人信息，请妥善保管。</p>"
        + "".join(parts)
        + "</html>\n"
    )


def _entry(row: Mapping[str, Any]) -> str:
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(_shown(value))}</dd>" for name, value in row.items())
    return f"<dl>{lines}</dl>"


def _shown(value: Any) -> str:  # noqa: ANN401 - any JSON value
    match value:
        case None:
            return "—"
        case bool():
            return "是" if value else "否"
        case list():
            return "；".join(map(_shown, value)) or "—"
        case dict():
            return "，".join(f"{name}：{_shown(part)}" for name, part in value.items())
        case _:
            return str(value)
