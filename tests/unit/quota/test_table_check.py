"""A published table is recomputed: its known faults are found, and no others."""

import csv
import io
import json
from pathlib import Path

import pytest

from services.quota.tablechecks.operations import check_files
from services.quota.tablechecks.schemas import FindingView, TableCheck
from shared.errors import InvalidRequest
from tests.support.workbooks import workbook

DATA = Path(__file__).resolve().parents[3] / "deploy" / "demo_data" / "yueqing-2020"
TABLE = (DATA / "hospitals.csv").read_bytes()
TOTALS = (DATA / "published_totals.csv").read_bytes()
MOVED = json.dumps(
    [{"from": "乐清市妇幼保健院", "to": "乐清市人民医院", "share_points": 3, "reason": "儿科迁移"}],
    ensure_ascii=False,
)

Told = tuple[str, str, int | str | None, int | str | None, int | str | None]


def told(check: TableCheck) -> list[Told]:
    assert check.ok == (not check.findings)
    return [
        (finding.kind, finding.where, finding.published, finding.recomputed, finding.difference)
        for finding in check.findings
    ]


def changed(name: str, column: str, value: str) -> bytes:
    """The published table with one cell changed."""
    rows = list(csv.DictReader(io.StringIO(TABLE.decode("utf-8-sig"))))
    for row in rows:
        if row["hospital"] == name:
            row[column] = value
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


ALLIANCE_2: Told = ("subtotal", "第二人民医院医共体·小计", 48737, 48738, -1)
SUM: Told = ("total", "全部 37 家·任务数", 165000, 165003, -3)


class TestYueqing:
    def test_has_its_two_known_faults_and_no_others(self) -> None:
        check = check_files(TABLE, totals=TOTALS, total=165000, adjustments=MOVED)
        assert told(check) == [ALLIANCE_2, SUM]

    def test_without_its_footnote_the_moved_quotas_are_found_and_paired(self) -> None:
        check = check_files(TABLE, totals=TOTALS, total=165000)
        assert told(check) == [
            ("quota", "第 2 行·乐清市人民医院", 36449, 31499, 4950),
            ("quota", "第 37 行·乐清市妇幼保健院", 7326, 12276, -4950),
            ALLIANCE_2,
            SUM,
        ]
        assert "3 个百分点" in check.findings[0].message
        assert "第 2 行·乐清市人民医院" in check.findings[1].message

    def test_a_text_with_another_base_is_found_and_the_rows_judged_by_theirs(self) -> None:
        check = check_files(TABLE, totals=TOTALS, total=164758, adjustments=MOVED)
        assert told(check) == [("base", "分配总数", 164758, 165000, -242), ALLIANCE_2, SUM]

    def test_the_base_is_found_when_nothing_says_it(self) -> None:
        assert told(check_files(TABLE, adjustments=MOVED)) == [SUM]

    @pytest.mark.parametrize(
        ("column", "value", "finding"),
        [
            ("published_quota", "893", ("quota", "第 5 行·乐清市盐盆街道社区卫生服务中心", 893, 892, 1)),
            (
                "published_share",
                "0.005407025",
                (
                    "share",
                    "第 5 行·乐清市盐盆街道社区卫生服务中心",
                    "0.005407025",
                    "0.005407024",
                    "0.000000001",
                ),
            ),
        ],
    )
    def test_a_single_wrong_cell_is_found_where_it_is(self, column: str, value: str, finding: Told) -> None:
        table = changed("乐清市盐盆街道社区卫生服务中心", column, value)
        assert finding in told(check_files(table, total=165000, adjustments=MOVED))

    def test_a_wrong_count_of_visits_does_not_hide_behind_its_share(self) -> None:
        table = changed("乐清市盐盆街道社区卫生服务中心", "visits_2019", "39958")
        kinds = {finding.kind for finding in check_files(table, total=165000, adjustments=MOVED).findings}
        assert {"share", "quota"} <= kinds

    def test_a_cell_that_is_no_number_is_named(self) -> None:
        table = changed("乐清市盐盆街道社区卫生服务中心", "published_quota", "八百九十二")
        (finding, *_) = check_files(table, total=165000, adjustments=MOVED).findings
        assert (finding.kind, finding.where, finding.published) == (
            "unreadable",
            "第 5 行·任务数",
            "八百九十二",
        )


class TestOwnRounding:
    def test_a_table_that_adds_up_may_have_been_rounded_to_do_so(self) -> None:
        table = "医院,诊疗人次,任务数\n甲,1,4\n乙,1,3\n丙,1,3\n".encode()
        assert check_files(table, total=10).ok

    def test_but_no_row_may_be_a_whole_card_away(self) -> None:
        table = "医院,诊疗人次,任务数\n甲,1,5\n乙,1,2\n丙,1,3\n".encode()
        assert [finding.kind for finding in check_files(table, total=10).findings] == ["quota", "quota"]

    def test_shares_may_be_printed_in_per_cent_or_cut_off(self) -> None:
        table = "单位,总诊疗数,占比,目标数\n甲,2,66.6%,67\n乙,1,33.3%,33\n".encode()
        assert check_files(table, total=100).ok

    def test_shares_alone_explain_quotas_within_their_decimals(self) -> None:
        good = "医院,占比,任务数\n甲,0.67,6666\n乙,0.33,3334\n".encode()
        bad = "医院,占比,任务数\n甲,0.67,6500\n乙,0.33,3500\n".encode()
        assert check_files(good, total=10000).ok
        assert not check_files(bad, total=10000).ok


class TestSubtotals:
    ROWS = (
        ["2020年发卡任务分配表", "", "", ""],
        ["医共体", "医疗机构", "2019年诊疗人次", "任务数（张）"],
        ["第一医共体", "甲", 100, 50],
        ["", "乙", 60, 30],
        ["", "小计", 160, 80],
        ["第二医共体", "丙", 40, 20],
        ["", "小计", 40, 20],
        ["合计", "", 200, 100],
    )
    MERGES = ((2, 0, 4, 0, "第一医共体"), (5, 0, 6, 0, "第二医共体"), (7, 0, 7, 1, "合计"))

    def check(self, *cells: tuple[int, int, int]) -> list[FindingView]:
        rows = [list(row) for row in self.ROWS]
        for row, column, value in cells:
            rows[row][column] = value
        return check_files(workbook(rows, self.MERGES), total=100).findings

    def test_merged_alliances_and_their_subtotals_are_understood(self) -> None:
        assert self.check() == []

    @pytest.mark.parametrize(
        ("cell", "kind", "difference"),
        [
            ((4, 3, 81), "subtotal", 1),
            ((4, 2, 150), "subtotal", -10),
            ((6, 3, 19), "subtotal", -1),
            ((7, 2, 201), "total", 1),
        ],
    )
    def test_a_wrong_subtotal_is_found(self, cell: tuple[int, int, int], kind: str, difference: int) -> None:
        (finding,) = self.check(cell)
        assert (finding.kind, finding.difference) == (kind, difference)

    def test_a_wrong_total_is_found_once_though_text_and_table_say_it(self) -> None:
        rows = [list(row) for row in self.ROWS]
        rows[7][3] = 101
        assert [f.kind for f in check_files(workbook(rows, self.MERGES), total=101).findings].count(
            "total"
        ) == 1

    def test_blocks_that_all_end_in_total_rows_are_told_apart(self) -> None:
        table = (
            "医院,诊疗人次,任务数\n甲,3,30\n乙,1,10\n合计,4,40\n丙,6,60\n合计,6,61\n合计,10,100\n".encode()
        )
        (finding,) = check_files(table, total=100).findings
        assert (finding.kind, finding.published, finding.recomputed) == ("subtotal", 61, 60)

    def test_a_printed_subtotal_of_an_alliance_that_is_not_there_is_said(self) -> None:
        table = "医共体,医院,诊疗人次,任务数\n甲医共体,甲,1,10\n".encode()
        (finding,) = check_files(table, totals="医共体,合计\n乙医共体,10\n".encode(), total=10).findings
        assert finding.kind == "unknown_alliance"

    def test_a_hospital_that_stands_twice_is_found(self) -> None:
        table = "医院,诊疗人次,任务数\n甲,1,5\n甲,1,5\n".encode()
        assert [finding.kind for finding in check_files(table, total=10).findings] == ["duplicate"]


class TestPartsAndTotal:
    PARTS = "券种,数量\n健康体检券,209\n核酸检测券,40\n消毒用品券,83\n健身券,25\n通用券,308\n"

    def test_the_five_missing_vouchers_of_the_honghe_report_are_found(self) -> None:
        assert told(check_files(f"{self.PARTS}合计,670\n".encode())) == [("total", "数量·合计", 670, 665, 5)]

    def test_the_total_may_stand_in_the_text(self) -> None:
        assert told(check_files(self.PARTS.encode(), total=670)) == [("total", "数量·文本合计", 670, 665, 5)]

    @pytest.mark.parametrize(("total", "differences"), [(670, [5]), (665, [])])
    def test_a_workbook_with_a_title_running_numbers_and_a_merged_total_is_understood(
        self, total: int, differences: list[int]
    ) -> None:
        parts = [line.split(",") for line in self.PARTS.splitlines()[1:]]
        rows: list[list[object]] = [
            ["消费券发放情况", "", ""],
            ["序号", "券种", "数量（张）"],
            *[[number, name, int(count)] for number, (name, count) in enumerate(parts, start=1)],
            ["", "小计", 665],
            ["合计", "", total],
        ]
        last = len(rows) - 1
        merges = ((0, 0, 0, 2, "消费券发放情况"), (last, 0, last, 1, "合计"))
        findings = check_files(workbook(rows, merges)).findings
        assert [finding.difference for finding in findings] == differences
        assert all("数量（张）" in finding.where for finding in findings)
        rows[last] = ["", "合计", total]
        assert [finding.difference for finding in check_files(workbook(rows)).findings] == differences

    def test_a_table_that_adds_up_is_well(self) -> None:
        assert check_files(f"{self.PARTS}合计,665\n".encode(), total=665).ok


@pytest.mark.parametrize(
    ("table", "fields", "code"),
    [
        (b"", {}, "nothing_to_check"),
        ("姓名,电话\n甲,乙\n".encode(), {}, "nothing_to_check"),
        ("券种,数量\n甲,1\n".encode(), {}, "nothing_to_check"),
        (TABLE, {"adjustments": "{"}, "json_invalid"),
        (TABLE, {"adjustments": MOVED.replace("妇幼", "")}, "hospital_unknown"),
        (TABLE, {"adjustments": '[{"from": "a", "to": "b", "reason": "r"}]'}, "points_or_cards"),
        (TABLE, {"totals": "医共体,合计\n甲,很多\n".encode()}, "not_a_number"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked_is_refused_by_name(table: bytes, fields: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_files(table, **fields)  # type: ignore[arg-type] # a table of cases
    assert code in {fault.code for fault in refused.value.faults}
