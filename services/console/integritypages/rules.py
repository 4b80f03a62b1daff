"""What the notes of the integrity check say in Chinese. Pure.

The checks write their notes in English, for operators and alarms; clerks read them here. A test holds the
phrases together with the notes of all checks.
"""

import re

# Whole phrases before their parts; %s in a note of a check is whatever stands in its place.
_PHRASES: tuple[tuple[str, str], ...] = (
    (r"(\d+) waiting", r"等待 \1 项"),
    (r"the oldest for (\d+) s", r"最久已等 \1 秒"),
    (r"(\d+) dead", r"死信 \1 项"),
    ("hidden: ", "无人处理："),
    ("vouchers past their time: ", "过期未处理的消费券："),
    (r"(\d+) wait for the walk", r"\1 张等待到期处理"),
    ("the first left behind: ", "第一张遗漏："),
    ("chances of activities; ", "参与获得的抽奖机会；"),
    ("activities; ", "参与记录；"),
    ("differs for campaigns: ", "不一致的活动："),
    ("answers; ", "作答；"),
    ("accounts below zero; ", "低于零的账户；"),
    ("transfers that are not whole; ", "不完整的转账；"),
    ("vouchers differ from their transfers; ", "消费券与转账不一致；"),
    ("transfers; ", "转账；"),
    ("draws by excluded persons; ", "受限人员的抽奖；"),
    ("held awards; ", "待核实的中奖；"),
    ("wins and awards; ", "中奖与待领；"),
    ("beyond a cap or before a release; ", "超出上限或早于放量；"),
    ("pieces returned; ", "退回数量；"),
    ("pieces; ", "数量；"),
    ("roots; ", "根哈希；"),
    ("draws; ", "抽奖；"),
    ("over: ", "超出："),
    ("campaigns; ", "活动；"),
    ("notices; ", "通知；"),
    ("quotas of all versions; does not add up: ", "各版本任务数；合计不符："),
    ("codes; wrong for: ", "二维码；有误的医院："),
    ("cards taken out; void without a case or the reverse: ", "剔除的卡；作废与案件不对应："),
    ("confirmed without a change: ", "未经变更即认定："),
    ("cards; persons that do not agree: ", "发卡；不一致的人数："),
    ("cards in lines; wrong: ", "医院归属区间；有误："),
    ("cards in frozen months; ", "已冻结月份的发卡；"),
    ("write-offs in frozen months; ", "已冻结月份的核销；"),
    ("cards and uses; ", "发卡与使用；"),
    ("cards; ", "发卡；"),
    ("credits; ", "归属计数；"),
    ("decided cases; ", "已处理线索；"),
    ("entries and memberships; ", "名录与参加情况；"),
    ("vouchers and live redemptions; ", "消费券与有效核销；"),
    ("vouchers; differs in campaign ", "消费券；不一致的活动："),
    ("fen paid; ", "已付金额（分）；"),
    ("fen; ", "金额（分）；"),
    ("settlements; ", "结算单；"),
    ("redemptions; ", "核销；"),
    ("reversals; ", "冲正；"),
    ("evidence and write-offs; ", "证据与核销；"),
    ("manual write-offs; ", "人工核销；"),
    ("write-offs; ", "核销；"),
    ("days of terminals; ", "终端各日；"),
    ("the first above its limit: ", "第一个超限："),
    ("results; ", "服务结果；"),
    ("events; ", "事件；"),
    ("the first correction that differs: ", "第一个不一致的更正："),
    ("the first settlement that differs: ", "第一个不一致的结算单："),
    ("the first that differs: ", "第一个不一致："),
    ("the first: ", "第一个："),
    ("differs for: ", "不一致："),
    ("differs in: ", "不一致："),
    (r" \((\d+|%s) faults\)", r"（共 \1 处）"),
    (r"(\S+) of payer (\S+) in campaign (\S+) (\S*): (\S+) fen", r"活动 \3 第 \2 出资方 \1 账户 \4：\5 分"),
    (r"payer (\S+) of campaign ([^\s,]+)", r"活动 \2 第 \1 出资方"),
    (r"(\S+) in phase ([^\s,]+)", r"第 \2 期 \1"),
    (": phase ", "：期次 "),
    (r"(\S+) version (\S+)", r"\1 第 \2 版"),
    (r"(\S+) edition (\S+)", r"\1 第 \2 次公布"),
    (r"(\S+) on (\S+)", r"\2 的 \1"),
    ("unattributed", "未归属"),
    (r" of person ", "，人员 "),
    ("seeds that do not open; the first: phase ", "打不开的抽奖种子；第一个：期次 "),
    (r"the log ends with entry (\d+)", r"日志止于第 \1 条"),
    (r"its head remembers entry (\d+)", r"末端记录为第 \1 条"),
    ("the head's hash does not fit", "末端的哈希不符"),
    (r"entry (\d+) is missing", r"缺第 \1 条"),
    (r"entry (\d+) does not follow entry (\d+)", r"第 \1 条不接第 \2 条"),
    (r"entry (\d+) was changed", r"第 \1 条被改动"),
    (r"(\S+) could not be computed: (\S+)", r"\1 未能计算：\2"),
    ("; ", "；"),
    (", ", "、"),
)  # fmt: skip


def note_zh(note: str) -> str:
    for phrase, zh in _PHRASES:
        note = re.sub(phrase, zh, note)
    return note


def what_to_do(*, ok: bool) -> tuple[str, str]:
    if ok:
        return ("无需处理。", "Nothing has to be done.")
    return (
        "请暂停相关的审批和付款，把下面的规则名称和说明告诉运维人员；不要自行改动数据。",
        "Hold the approvals and payments that it concerns, and tell the operators its name and note.",
    )  # fmt: skip
