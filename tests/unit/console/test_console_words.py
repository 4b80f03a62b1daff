"""What the console says of actions, jobs, checks, health and the first look: nothing without a name."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.console.auditpages.rules import OBJECTS, STEPS, action_choices, action_words, sides, thing
from services.console.deadletters.rules import NEEDED, can_be_put_aside
from services.console.healthpages import rules as health
from services.console.healthpages.rules import Clocks, Disk, Finding, LastIntegrity, Readiness
from services.console.importpages.rules import IMPORTS, batch_of_entry
from services.console.integritypages.rules import note_zh
from services.console.jobpages.rules import KINDS, PERIODICS, QueueLine, failure_words
from services.console.overviewwords.rules import shortcuts_of, waits_of, warnings_of
from services.console.pages.rules import MENU, crumbs_of, menu_for
from services.console.staffpages.rules import RIGHTS
from shared.identity.staff import READERS, WRITERS, Role
from shared.integrity.catalogue import sql_checks
from shared.jobs.kinds import Kind

ROOT = Path(__file__).resolve().parents[3]
_ACTION = re.compile(r"[a-z_]+(\.[a-z_]+)+")
# Written down under a name that is put together: kinds of changes, and what a status becomes.
_PUT_TOGETHER = (
    [f"institution.{act}" for act in ("pause", "resume", "close")]
    + [f"terminal.{status}" for status in ("paused", "active", "revoked")]
    + ["campaign.pause", "campaign.resume", "person.reveal"]
    + [f"{sort}_{what}.replace" for sort in ("bulletin", "report") for what in ("template", "words")]
)

# Their notes are pieced together around figures; examples of them stand in the test.
PIECED = ("core_outbox.sql", "vouchers_expiry.sql")


def trees() -> Iterator[ast.Module]:
    for folder in ("services", "shared"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            if "AuditEntry(" in source or "_audited(" in source or "Periodic(" in source:
                yield ast.parse(source)


def called(name: str) -> Iterator[ast.Call]:
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node


def words_in(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def test_every_action_of_the_audit_log_has_a_name_in_both_languages() -> None:
    written = {
        word
        for name in ("AuditEntry", "_audited")
        for call in called(name)
        for place in call.args[1:2]
        for word in words_in(place)
        if _ACTION.fullmatch(word)
    }
    assert len(written) > 60
    for action in (*written, *_PUT_TOGETHER):
        zh, en = action_words(action)
        assert re.search(r"[\u4e00-\u9fff]", zh), action
        assert en != action


def test_every_object_of_the_audit_log_has_a_name() -> None:
    kinds = {
        found[1]
        for call in called("AuditEntry")
        for place in call.args[2:3]
        for word in words_in(place)
        if (found := re.match(r"([a-z_]+):", word))
    }
    assert kinds - set(OBJECTS) == set()


def test_every_step_of_a_change_is_offered_by_the_filter() -> None:
    offered = {action for _, actions in action_choices() for action, _ in actions}
    assert {f"stock.{step}" for step in STEPS} <= offered
    assert action_words("stock.approve")[0] == "批准：调整库存"


def test_before_and_after_read_as_people_write() -> None:
    (roles, lock) = sides({"roles": ["admin", "operator"]}, {"roles": [], "locked": False})
    assert (roles.words, roles.before, roles.after, roles.differs) == (
        ("角色", "roles"),
        "admin、operator",
        "–",
        True,
    )
    assert (lock.before, lock.after) == (None, "否")
    assert thing("settlement:s1").link == "/console/settlements/s1"


def test_every_kind_of_job_and_all_periodic_work_has_a_name() -> None:
    assert set(KINDS) == set(Kind)
    named = {word for call in called("Periodic") for word in words_in(call.args[0]) if "." in word}
    assert {name for name in named if not name.endswith(".heartbeat") and name[0] != "."} <= set(PERIODICS)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ConnectError: all attempts failed", "连不上"),
        ("ReadTimeout: ", "没有及时应答"),
        ("OperationalError: server closed", "数据库或队列"),
        ("KeyError: 'x'", "程序处理出错"),
        (None, "没有留下错误信息"),
    ],
)
def test_a_failure_says_what_it_means(error: str | None, said: str) -> None:
    assert said in failure_words(error)[0]


def test_what_keeps_figures_right_cannot_be_given_up() -> None:
    assert not any(can_be_put_aside(kind) for kind in NEEDED)
    assert can_be_put_aside(Kind.NOTICE_DUE)


def test_every_note_of_the_integrity_check_is_read_in_chinese() -> None:
    for check in sql_checks():
        if check.file in PIECED:
            continue
        sql = re.sub(r"--.*", "", check.sql)
        for note in re.findall(r"'((?:[^']|'')*)'", sql[sql.rfind("AS actual") :]):
            filled = f"7{note}7".replace("%s", "7")
            assert not re.search(r"[A-Za-z]{2,}", note_zh(filled)), (check.file, note, note_zh(filled))
    late = "vouchers past their time: 3 wait for the walk; the first left behind: x"
    assert note_zh(late) == "过期未处理的消费券：3 张等待到期处理；第一张遗漏：x"
    assert note_zh("0 waiting; the oldest for 3 s; 2 dead") == "等待 0 项；最久已等 3 秒；死信 2 项"


NOW = datetime(2020, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("finding", "tone"),
    [
        (health.of_service(Readiness("quota", ready=False, why="x")), "bad"),
        (health.of_worker(QueueLine("quota", None, None, 0)), "bad"),
        (health.of_worker(QueueLine("quota", None, 61, 0)), "bad"),
        (health.of_worker(QueueLine("quota", None, 60, 0)), "good"),
        (health.of_queue([QueueLine("quota", 119, 1, 0)]), "good"),
        (health.of_queue([QueueLine("quota", 120, 1, 0)]), "paused"),
        (health.of_queue([QueueLine("quota", 900, 1, 0)]), "bad"),
        (health.of_letters(1), "bad"),
        (health.of_schema("0001", "0002"), "bad"),
        (health.of_redis(None), "bad"),
        (health.of_integrity(None), "paused"),
        (health.of_integrity(LastIntegrity(ok=False, age_seconds=1)), "bad"),
        (health.of_integrity(LastIntegrity(ok=True, age_seconds=7201)), "paused"),
        (health.of_disk(Disk(4, 100)), "bad"),
        (health.of_disk(Disk(9, 100)), "paused"),
        (health.of_disk(Disk(10, 100)), "good"),
        (health.of_clocks(Clocks(NOW, NOW + timedelta(seconds=2), NOW)), "bad"),
    ],
)
def test_health_says_what_to_do_about_whatever_is_not_well(finding: Finding, tone: str) -> None:
    assert finding.tone == tone
    assert (finding.advice[0] == "无需处理") == (tone == "good")
    assert health.worst([finding]) == tone


def test_the_first_look_names_what_waits_and_what_is_wrong_only() -> None:
    assert waits_of(changes=0, reviews=0, jobs=0) == []
    assert [one.count for one in waits_of(changes=3, reviews=0, jobs=1)] == [3, 1]
    assert warnings_of(whole=True, failed=0, strayed=[], running=[]) == []
    told = warnings_of(whole=False, failed=2, strayed=["甲"], running=[])
    assert [one.path for one in told] == ["/console/integrity", "/console/planner", "/console/jobs"]


@pytest.mark.parametrize("role", READERS)
def test_everybody_of_the_bureau_has_places_to_go_that_the_menu_has(role: Role) -> None:
    paths = {entry.path for group in menu_for([role]) for entry in group.entries}
    assert {path for _, path in shortcuts_of([role])} <= paths


def test_a_page_that_is_not_in_the_menu_says_where_it_is() -> None:
    menu = menu_for([Role.ADMIN])
    crumbs = crumbs_of(menu, "staff", "/console/staff/0193")
    assert crumbs is not None
    assert (crumbs.group.zh, crumbs.entry.path) == ("系统", "/console/staff")
    assert crumbs_of(menu, "staff", "/console/staff") is None
    assert crumbs_of(menu, "nothing", "/console/x") is None


def test_keys_of_the_menu_are_unique_and_groups_few() -> None:
    keys = [entry.key for group in MENU for entry in group.entries]
    assert len(keys) == len(set(keys))


def test_rights_in_words_name_writers_where_writers_act() -> None:
    assert all(set(right.roles) <= set(Role) for right in RIGHTS)
    (proposing,) = [right for right in RIGHTS if "提交变更" in right.zh]
    assert tuple(proposing.roles) == WRITERS


def test_every_import_of_the_log_is_one_of_the_centre() -> None:
    entries = {action for one in IMPORTS for action in one.actions}
    known = {action for _, actions in action_choices() for action, _ in actions}
    assert {action for action in known if action.endswith((".import", ".import.undo"))} <= entries
    batch = batch_of_entry(
        {
            "action": "institution.import",
            "at": "2020-11-01T10:00:00+08:00",
            "username": "a",
            "object": "campaign:c",
            "after": {"file_sha256": "ab" * 32, "added": 3, "updated": 2},
        }
    )
    assert (batch.taken, batch.about, batch.rows, batch.file) == (5, "c", None, "abababababab")
