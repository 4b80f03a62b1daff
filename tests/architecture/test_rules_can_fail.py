"""Each rule is shown code that breaks it and code that keeps it: a rule that cannot fail guards nothing."""

from pathlib import PurePosixPath

import pytest

from tests.architecture import budgets, rules_data, rules_kit, rules_shape
from tests.architecture.source import Module, Rule
from tests.architecture.test_house import RULES

ROUTES = "services/issuance/quiz/routes.py"
OPERATIONS = "services/issuance/quiz/operations.py"
STORE = "services/issuance/quiz/store.py"
RULES_FILE = "services/issuance/quiz/rules.py"
LONG_FUNCTION = "def act() -> None:\n" + "    pass\n" * budgets.FUNCTION_LINES_MAX

BROKEN: list[tuple[Rule, str, str]] = [
    (rules_shape.module_fits_its_budget, OPERATIONS, "x = 1\n" * (budgets.MODULE_LINES_MAX + 1)),
    (
        rules_shape.module_fits_its_budget,
        "tests/unit/test_quiz.py",
        "x = 1\n" * (budgets.TEST_MODULE_LINES_MAX + 1),
    ),
    (rules_shape.function_fits_its_budget, OPERATIONS, LONG_FUNCTION),
    (
        rules_shape.function_fits_its_budget,
        "tests/unit/test_quiz.py",
        LONG_FUNCTION.replace("def", "async def"),
    ),
    (
        rules_data.transactions_open_in_operations_only,
        ROUTES,
        "async def f(database):\n    async with database.transaction() as tx:\n        pass",
    ),
    (
        rules_data.transactions_open_in_operations_only,
        "services/issuance/wiring.py",
        "def f(engine):\n    return engine.begin()",
    ),
    (
        rules_data.transactions_open_in_operations_only,
        STORE,
        "async def f(tx):\n    await tx.commit()",
    ),
    (
        rules_data.transactions_open_in_operations_only,
        "shared/metrics/collector.py",
        "async def f(self):\n    async with self._database.transaction() as tx:\n        pass",
    ),
    (rules_data.sql_lives_in_stores, OPERATIONS, "QUERY = text('select id from core.voucher')"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "def f(name):\n    return f'SELECT core.{name}($1)'"),
    (rules_data.sql_lives_in_stores, ROUTES, "q = 'UPDATE core.voucher\\n SET state = 1'"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "q = '''\n  WITH due AS (SELECT 1) SELECT * FROM due'''"),
    (rules_data.sql_lives_in_stores, RULES_FILE, "q = 'delete from core.outbox where id = 1'"),
    (rules_data.sql_lives_in_stores, "deploy/cli.py", "q = 'INSERT INTO core.campaign VALUES (1)'"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "from sqlalchemy import select"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "from sqlalchemy.dialects.postgresql import insert"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "async def f(tx):\n    await tx.execute(QUERY)"),
    (
        rules_data.sql_lives_in_stores,
        OPERATIONS,
        "async def f(self):\n    await self._database.call(STATEMENT, 1)",
    ),
    (rules_data.money_is_whole_fen, RULES_FILE, "price_fen: float = 1"),
    (rules_data.money_is_whole_fen, RULES_FILE, "class Line:\n    amount_fen: 'float | None'"),
    (rules_data.money_is_whole_fen, RULES_FILE, "def pay(*, amount_fen: float | None = None): ..."),
    (rules_data.money_is_whole_fen, RULES_FILE, "def total_fen() -> dict[str, float]: ..."),
    (rules_data.money_is_whole_fen, RULES_FILE, "yuan = float(line.amount_fen)"),
    (rules_kit.frameworks_stay_at_the_edge, OPERATIONS, "from fastapi import Depends"),
    (rules_kit.frameworks_stay_at_the_edge, OPERATIONS, "def f():\n    import fastapi.responses"),
    (
        rules_kit.frameworks_stay_at_the_edge,
        "shared/identity/tokens.py",
        "from starlette.requests import Request",
    ),
    (rules_kit.frameworks_stay_at_the_edge, "services/issuance/wiring.py", "import fastapi"),
    (rules_kit.frameworks_stay_at_the_edge, "deploy/cli.py", "from fastapi import FastAPI"),
    (rules_kit.frameworks_stay_at_the_edge, OPERATIONS, "from arq import create_pool"),
    (rules_kit.frameworks_stay_at_the_edge, "shared/outbox/relay.py", "from arq.connections import ArqRedis"),
    (rules_kit.now_comes_from_the_clock, OPERATIONS, "from datetime import datetime\nx = datetime.now(UTC)"),
    (rules_kit.now_comes_from_the_clock, OPERATIONS, "import datetime\nx = datetime.datetime.utcnow()"),
    (rules_kit.now_comes_from_the_clock, RULES_FILE, "day = date.today()"),
    (rules_kit.now_comes_from_the_clock, "shared/signing/rules.py", "import time\nx = time.time()"),
    (rules_kit.now_comes_from_the_clock, "shared/signing/rules.py", "from time import time"),
    (
        rules_kit.settings_have_no_default_secret,
        "shared/settings.py",
        "class Settings(BaseSettings):\n    token_key: SecretStr = SecretStr('changeme')",
    ),
    (
        rules_kit.settings_have_no_default_secret,
        "shared/settings.py",
        "class Settings(BaseSettings):\n    admin_password: str = 'admin'",
    ),
    (
        rules_kit.settings_have_no_default_secret,
        "shared/settings.py",
        "class Settings(BaseSettings):\n    index_key: SecretStr = Field(default='x', description='y')",
    ),
    (
        rules_kit.settings_have_no_default_secret,
        "shared/settings.py",
        "class Settings(BaseSettings):\n    index_key: SecretStr = Field(default_factory=make)",
    ),
    (rules_kit.settings_have_no_default_secret, "shared/identity/tokens.py", "KEY = SecretStr('changeme')"),
    (
        rules_kit.refusals_live_in_errors,
        OPERATIONS,
        "class SoldOut(Refusal):\n    code = 'sold_out'\n    zh = '已领完。'\n    en = 'Sold out.'",
    ),
]

KEPT: list[tuple[Rule, str, str]] = [
    (rules_shape.module_fits_its_budget, OPERATIONS, "x = 1\n" * budgets.MODULE_LINES_MAX),
    (rules_shape.function_fits_its_budget, "migrations/versions/20261123_x.py", LONG_FUNCTION),
    (
        rules_data.transactions_open_in_operations_only,
        OPERATIONS,
        "async def f(database):\n    async with database.transaction() as tx:\n        pass",
    ),
    (rules_data.transactions_open_in_operations_only, "shared/db/database.py", "engine.begin()"),
    (
        rules_data.transactions_open_in_operations_only,
        "shared/http/health.py",
        "async def f(database):\n    async with database.snapshot() as tx:\n        pass",
    ),
    (rules_data.sql_lives_in_stores, STORE, "q = 'SELECT 1'\nasync def f(tx):\n    await tx.execute(q)"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "def f():\n    'SELECT is a word in this docstring.'"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "help = 'Select a hospital from the list'"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "help = 'with seed as text; update the list'"),
    (rules_data.sql_lives_in_stores, OPERATIONS, "async def f(tx):\n    await store.insert_award(tx, 1)"),
    (rules_data.money_is_whole_fen, RULES_FILE, "def pay(*, amount_fen: int, odds: float) -> None: ..."),
    (rules_kit.frameworks_stay_at_the_edge, ROUTES, "from fastapi import APIRouter"),
    (
        rules_kit.frameworks_stay_at_the_edge,
        "services/quota/worker.py",
        "from arq.connections import RedisSettings",
    ),
    (rules_kit.frameworks_stay_at_the_edge, "shared/http/problems.py", "import starlette.exceptions"),
    (rules_kit.now_comes_from_the_clock, "shared/clock/__init__.py", "x = datetime.now(UTC)"),
    (rules_kit.now_comes_from_the_clock, OPERATIONS, "now = clock.now()"),
    (
        rules_kit.settings_have_no_default_secret,
        "shared/settings.py",
        """
class Settings(BaseSettings):
    a_key: SecretStr
    b_key: SecretStr = Field(description='x')
    admin_password: SecretStr | None = None
    log_level: str = 'info'
""",
    ),
    (
        rules_kit.refusals_live_in_errors,
        "services/issuance/wallet/errors.py",
        "class SoldOut(Refusal):\n    code = 'sold_out'\n    zh = '已领完。'",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN)
def test_rule_finds_what_breaks_it(rule: Rule, path: str, text: str) -> None:
    findings = list(rule(Module.parse(path, text)))
    assert findings
    assert all(finding.startswith(f"{path}:") for finding in findings)


@pytest.mark.parametrize(("rule", "path", "text"), KEPT)
def test_rule_leaves_alone_what_keeps_it(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Module.parse(path, text))) == []


def test_every_rule_is_shown_both() -> None:
    assert {rule for rule, _, _ in BROKEN} == set(RULES)
    assert {rule for rule, _, _ in KEPT} == set(RULES)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("services/issuance/quiz/utils.py", "a room holds"),
        ("services/issuance/quiz/helpers/rules.py", "a room has no folders"),
        ("services/issuance/quiz/static/app.js", "a room has no folders"),
        ("services/issuance/gifts/rules.py", "gifts is not a room of issuance"),
        ("services/issuance/settings.py", "a service's root holds"),
        ("services/console/tablepages/static/own.css", "a room has no folders"),
        ("services/console/staff/templates/own.html", "a room has no folders"),
        ("services/payments/app.py", "payments is not one of the services"),
        ("services/common.py", "services/ holds services only"),
    ],
)
def test_a_file_without_a_room_is_found(path: str, fault: str) -> None:
    (finding,) = rules_shape.every_file_has_its_room([PurePosixPath(path)])
    assert finding.startswith(f"{path}: {fault}")


@pytest.mark.parametrize(
    "path",
    [
        "services/__init__.py",
        "services/quota/wiring.py",
        "services/quota/cards/operations.py",
        "services/quota/cards/count_cards.sql",
        "services/console/pages/templates/home.html",
        "services/console/pages/static/vendor/charts.js",
        "services/console/tablepages/templates/table_check.html",
    ],
)
def test_a_file_in_its_room_is_left_alone(path: str) -> None:
    assert list(rules_shape.every_file_has_its_room([PurePosixPath(path)])) == []


def test_a_module_above_the_guide_is_named_and_the_longest_comes_first() -> None:
    lengths = {RULES_FILE: 301, OPERATIONS: 400, STORE: 300, "tests/unit/test_quiz.py": 400}
    modules = [Module.parse(path, "x = 1\n" * lines) for path, lines in lengths.items()]
    assert [line.split(",")[0] for line in rules_shape.above_the_guide(modules)] == [
        f"{OPERATIONS}: 400 lines",
        f"{RULES_FILE}: 301 lines",
    ]
