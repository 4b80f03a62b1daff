"""What the made pages say, Chinese and English: one pair for each sentence."""

from collections.abc import Mapping
from typing import Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

SITE_NAME: Mapping[Language, str] = {"zh": "全民健康消费券", "en": "Health Vouchers"}
OTHER: Mapping[Language, tuple[Language, str]] = {"zh": ("en", "English"), "en": ("zh", "中文")}
ENGLISH_ONLY = "本页目前只有英文。代码、接口字段和错误码两种语言相同。"

# Stands before the table of docs/errors.md, which is in both languages, in its Chinese page.
ERRORS_HEAD = """\
# 错误码：平台说“不”的每一种方式

每个拒绝都是一份问题文档（`application/problem+json`，RFC 9457）。`code` 是固定的，程序按它判断；
同一错误码的状态码始终相同。`detail` 是窗口人员可以直接念给群众听的一句话，默认中文，
请求头 `Accept-Language: en` 时为英文；措辞可能改进，程序不要拿它比较。
`type` 为 `/docs/errors#out_of_stock` 的，就是下表 `out_of_stock` 一行。
字段有误（422）时，逐项列在 `errors` 里。按状态码怎么办，见[接口约定](api/index.md#任何接口都可能的拒绝)。

| 错误码 | 状态码 | 中文 | 英文 | 出处 |
"""

WORDS: Mapping[str, tuple[str, str]] = {
    "parameters": ("参数", "Parameters"),
    "request": ("请求体", "Request"),
    "answer": ("应答", "Answer"),
    "field": ("字段", "field"),
    "type": ("类型", "type"),
    "needed": ("必填", "needed"),
    "bounds": ("限制", "limits"),
    "meaning": ("说明", "meaning"),
    "place": ("位置", "in"),
    "status": ("状态码", "status"),
    "code": ("错误码", "code"),
    "sentence": ("提示", "sentence"),
    "what_to_do": ("怎么办", "what to do"),
    "signature": ("请求须签名", "signed"),
    "bearer": ("须登录（`Authorization: Bearer`）", "needs a sign-in (`Authorization: Bearer`)"),
    "open": ("无须登录", "needs no sign-in"),
    "refusals": ("可能的拒绝", "Refusals"),
    "refusals_head": (
        "以下是本组接口自己的拒绝。任何接口都可能给出的拒绝见[约定](../index.md#任何接口都可能的拒绝)。",
        "The group's own. What any call may answer: [conventions](../index.md#what-any-call-may-answer).",
    ),
    "no_body": ("没有内容", "no body"),
    "file": ("文件", "a file"),
    "made": (
        "本页由接口文档（OpenAPI）自动生成。",
        "This page is made from the OpenAPI document.",
    ),
    "decisions": ("决策记录", "Decisions"),
    "full_stop": ("。", "."),
    "semicolon": ("；", "; "),
    "in_path": ("路径", "path"),
    "in_query": ("查询", "query"),
    "in_header": ("请求头", "header"),
    "or": (" 或 ", " or "),
    "list": ("列表：{}", "list of {}"),
    "default": ("默认 `{}`", "default `{}`"),
    "minLength": ("≥ {} 个字符", "≥ {} characters"),
    "maxLength": ("≤ {} 个字符", "≤ {} characters"),
    "minItems": ("≥ {} 项", "≥ {} items"),
    "maxItems": ("≤ {} 项", "≤ {} items"),
}

# Types of fields as the documents name them; others, such as formats, are told as they are.
TYPES: Mapping[str, tuple[str, str]] = {
    "any": ("任意", "any"),
    "binary": ("文件", "file"),
    "boolean": ("布尔", "boolean"),
    "date": ("日期", "date"),
    "date-time": ("时间", "time"),
    "integer": ("整数", "integer"),
    "number": ("数", "number"),
    "object": ("对象", "object"),
    "string": ("文本", "string"),
}

TAGS: Mapping[str, str] = {
    "activities": "参与活动",
    "allocation": "任务分配",
    "attribution": "归属",
    "audit": "操作日志",
    "bulletins": "通报与督办",
    "campaigns": "活动",
    "cards": "发卡事件",
    "changes": "变更审批",
    "citizens": "登录与个人",
    "demo": "演示时钟",
    "events": "线下活动",
    "exclusions": "名单",
    "figures": "统计数字",
    "health": "健康检查",
    "holds": "待核实",
    "hospitals": "医院",
    "institutions": "服务机构",
    "jobs": "任务",
    "lottery": "抽奖",
    "metrics": "指标",
    "notices": "通知",
    "planning": "测算",
    "platform keys": "平台密钥",
    "posters": "海报",
    "privacy": "个人信息",
    "programmes": "发卡任务",
    "progress": "进度",
    "qrcodes": "二维码",
    "questions": "题库",
    "quiz": "健康答题",
    "rankings": "排名",
    "reviews": "审核",
    "risk": "风险线索",
    "screen": "大屏",
    "service results": "服务结果",
    "settlement": "结算",
    "staff": "工作人员",
    "stuffing": "异常扫码",
    "subcodes": "子码",
    "table checks": "分配表核对",
    "terminals": "终端",
    "vouchers": "消费券",
    "wallet": "我的消费券",
    "working days": "工作日历",
    "write-off": "核销",
}


def word(key: str, language: Language) -> str:
    return WORDS[key][0 if language == "zh" else 1]


def type_name(name: str, language: Language) -> str:
    return TYPES.get(name, (name, name))[0 if language == "zh" else 1]
