"""What notices and letters are made of: the placeholders that there are, the platform's own text. Pure.

In the form of GB/T 9704; a bureau may replace either template by its own.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

from shared.documents.official import HEAD, IMPRINT, SIGNED, Kind, Part, Rows, Text, draw
from shared.documents.wordtemplates import Shape
from shared.paperwork.rules import Sort

_COMMON = frozenset(
    [
        "programme",
        "month",
        "title",
        "issuer",
        "number",
        "addressees",
        "copies",
        "dated",
        "as_of",
        "frozen",
        "edition",
        "reason",
        "red_head",
        "subject",
    ]
)
_FIGURES = frozenset(["quota", "month_issued", "issued", "rate"])
_ROW = _FIGURES | frozenset(
    [
        "rank",
        "hospital",
        "alliance",
        "level",
        "rank_change",
        "flagged",
        "remaining",
        "note",
        "needed_per_working_day",
        "miss_probability",
    ]
)
_ATTACHMENT = frozenset({"number", "name"})
NOTICE_SHAPE = Shape(
    fields=_COMMON
    | _FIGURES
    | frozenset(
        [
            "target",
            "issued_before",
            "unattributed",
            "hospitals",
            "ranked",
            "met",
            "flagged_names",
            "warned_names",
        ]
    ),
    lists={
        "rows": _ROW,
        "flagged": _ROW,
        "warned": _ROW,
        "alliances": frozenset({"alliance", "hospitals"}) | _FIGURES,
        "attachments": _ATTACHMENT,
    },
)
LETTER_SHAPE = Shape(
    fields=_COMMON | _ROW | frozenset({"ranked", "overall_rate"}),
    lists={"attachments": _ATTACHMENT},
)
TemplateKind = Literal["bulletin", "reminder"]
SHAPES: Mapping[TemplateKind, Shape] = {"bulletin": NOTICE_SHAPE, "reminder": LETTER_SHAPE}

# What is not said is left out, never a placeholder that somebody overlooks.
_HEAD = (*HEAD, Text(Kind.TITLE, "{{ title }}"))
_END = (
    Text(Kind.BODY, "{%p if attachments %}"),
    Text(Kind.BODY, ""),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.BODY, "{%p for row in attachments %}"),
    Text(
        Kind.ATTACHMENT, "{% if loop.first %}附件：{% else %}　　　{% endif %}{{ row.number }}{{ row.name }}"
    ),
    Text(Kind.BODY, "{%p endfor %}"),
    *SIGNED,
)
_NOTICE: Sequence[Part] = (
    *_HEAD,
    Text(Kind.ADDRESSEES, "{{ addressees }}："),
    Text(
        Kind.BODY,
        "现将{{ subject }}进展情况通报如下（数据截至{{ as_of }}"
        "{% if frozen %}，第{{ edition }}版{% endif %}）。",
    ),
    Text(Kind.BODY, "{%p if reason %}"),
    Text(Kind.BODY, "本通报为更正版，更正说明：{{ reason }}。"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.HEADING, "一、总体情况"),
    Text(
        Kind.BODY,
        "全市目标发卡{{ target }}张，此前已发{{ issued_before }}张；本期下达任务{{ quota }}张，"
        "{{ month }}发卡{{ month_issued }}张，累计发卡{{ issued }}张，完成率{{ rate }}。"
        "{{ hospitals }}家医疗机构中，{{ met }}家已完成任务。"
        "{% if unattributed %}另有{{ unattributed }}张尚未归属医疗机构，未计入上述累计数。{% endif %}",
    ),
    Text(Kind.CAPTION, "各医共体和独立单位完成情况"),
    Rows(
        header=("医共体", "机构数", "任务数", "本月发卡", "累计发卡", "完成率"),
        widths=(56, 20, 20, 20, 20, 20),
        each="alliances",
        cells=(
            "{{ row.alliance }}",
            "{{ row.hospitals }}",
            "{{ row.quota }}",
            "{{ row.month_issued }}",
            "{{ row.issued }}",
            "{{ row.rate }}",
        ),
        total=(
            "合计", "{{ hospitals }}", "{{ quota }}", "{{ month_issued }}", "{{ issued }}", "{{ rate }}",
        ),
    ),
    Text(Kind.HEADING, "二、排名情况"),
    Text(Kind.BODY, "按累计完成率（累计发卡÷任务数）由高到低排名，完成率相同的名次并列。"),
    Text(Kind.CAPTION, "{{ month }}发卡任务完成情况排名"),
    Rows(
        header=("名次", "医疗机构", "医共体", "任务数", "本月发卡", "累计发卡", "完成率", "名次变化", "备注"),
        widths=(10, 35, 25, 16, 14, 15, 17, 10, 14),
        each="rows",
        cells=(
            "{{ row.rank }}",
            "{{ row.hospital }}",
            "{{ row.alliance }}",
            "{{ row.quota }}",
            "{{ row.month_issued }}",
            "{{ row.issued }}",
            "{{ row.rate }}",
            "{{ row.rank_change }}",
            "{{ row.note }}",
        ),
        total=(
            "", "合计", "", "{{ quota }}", "{{ month_issued }}", "{{ issued }}", "{{ rate }}", "", "",
        ),
    ),
    Text(Kind.HEADING, "三、予以通报的单位"),
    Text(
        Kind.BODY,
        "{% if flagged %}以下单位未完成任务且排名列末三位，予以通报：{{ flagged_names }}。"
        "{% else %}本月没有未完成任务且排名列末三位的单位。{% endif %}",
    ),
    Text(Kind.BODY, "{%p if warned_names %}"),
    Text(
        Kind.BODY,
        "按截至月末近30日的进度测算，以下单位按期完成任务的可能性不足一半，"
        "请提前采取措施：{{ warned_names }}。",
    ),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.HEADING, "四、工作要求"),
    Text(Kind.BODY, "请各单位对照任务，加强组织推广，按时完成发卡任务；对统计结果有异议的，请及时书面反映。"),
    *_END,
    *IMPRINT,
)  # fmt: skip
_LETTER: Sequence[Part] = (
    *_HEAD,
    Text(Kind.ADDRESSEES, "{{ hospital }}："),
    Text(
        Kind.BODY,
        "根据{{ programme }}统计（数据截至{{ as_of }}），你单位任务数为{{ quota }}张，{{ month }}发卡"
        "{{ month_issued }}张，累计发卡{{ issued }}张，完成率{{ rate }}（全市完成率{{ overall_rate }}），"
        "在{{ ranked }}家参加排名的单位中列第{{ rank }}名，距完成任务还差{{ remaining }}张。",
    ),
    Text(Kind.BODY, "{%p if flagged %}"),
    Text(Kind.BODY, "你单位未完成任务且排名列末三位，已列入当月通报名单。"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.BODY, "{%p if needed_per_working_day %}"),
    Text(Kind.BODY, "自上述统计月末起，须每个工作日发卡{{ needed_per_working_day }}张，方能按期完成任务。"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.BODY, "请你单位分析原因，采取措施加快进度，按时完成任务；对统计结果有异议的，请及时书面反映。"),
    Text(Kind.BODY, "特此函告。"),
    *_END,
)
SORTS: Mapping[str, Sort] = {
    "bulletin": Sort(
        NOTICE_SHAPE,
        partial(draw, _NOTICE, title="通报模板"),
        replaced="bulletin_template.replace",
        worded="bulletin_words.replace",
    ),
    "reminder": Sort(
        LETTER_SHAPE,
        partial(draw, _LETTER, title="提醒函模板"),
        replaced="bulletin_template.replace",
        worded="bulletin_words.replace",
    ),
}
