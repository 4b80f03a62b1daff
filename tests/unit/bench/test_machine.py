import os

from bench.machine import (
    BACKENDS,
    BACKGROUND,
    BASELINE,
    GENERATOR,
    HTTP,
    JOBS,
    OTHER,
    REDIS,
    Process,
    cpu_by_role,
    family,
    memory_by_role,
    parse_busy,
    parse_pss,
    parse_stat,
    role_of,
    used,
)

TICKS = os.sysconf("SC_CLK_TCK")


def stat(name: str, *, cpu: int, waited: int) -> str:
    return f"42 ({name}) S 7 42 42 0 -1 4194560 100 0 0 0 {cpu} {cpu} {waited} {waited} 20 0 1 0 100 1000 10"


def test_stat_is_read_behind_a_name_with_blanks_and_parentheses() -> None:
    process = parse_stat(stat("a ) S 1 (b", cpu=TICKS, waited=3 * TICKS), "command")
    assert process == Process(id=42, parent=7, command="command", cpu=2.0, children_cpu=6.0)


def test_roles_are_known_by_the_command_line() -> None:
    assert role_of("/x/bin/python -P -m deploy.local.http_worker 7 9 ready app") == HTTP
    assert role_of("/x/bin/python -P -m deploy.local.jobs 9 ready jobs") == JOBS
    assert role_of("/x/bin/postgres -D /data") == BACKGROUND
    assert role_of("postgres: checkpointer") == BACKGROUND
    assert role_of("postgres: io worker 0") == BACKGROUND
    assert role_of("postgres: hv hv [local] SELECT") == BACKENDS
    assert role_of("/x/bin/valkey-server 127.0.0.1:6379") == REDIS
    assert role_of("/x/bin/pgbench -c 8") == GENERATOR
    assert role_of("/x/bin/python -P -m bench.baseline.worker 7") == BASELINE
    assert role_of("/bin/bash") == OTHER


def test_a_family_is_everything_that_a_process_started() -> None:
    processes = [Process(1, 0, "a", 0, 0), Process(2, 1, "b", 0, 0), Process(3, 2, "c", 0, 0)]
    strangers = [Process(9, 0, "d", 0, 0)]
    assert [process.id for process in family([*strangers, *reversed(processes)], 1)] == [1, 2, 3]


def test_ended_connections_count_as_backends_and_ended_clients_as_the_generator() -> None:
    told = cpu_by_role(
        [
            Process(1, 0, "python hv bench", 1.0, 0.5),
            Process(2, 1, "/x/postgres -D /data", 0.25, 4.0),
            Process(3, 2, "postgres: hv hv [local] idle", 2.0, 0.0),
        ],
        1,
    )
    assert told == {GENERATOR: 1.5, BACKGROUND: 0.25, BACKENDS: 6.0}


def test_shared_pages_are_counted_by_share() -> None:
    assert parse_pss("00400000-7ff [rollup]\nRss:  900 kB\nPss:  12 kB\nPss_Dirty: 3 kB\n") == 12 * 1024


def test_waiting_for_a_disk_is_not_busy() -> None:
    line = f"cpu  {TICKS} 0 {TICKS} 500 9999 0 0 {TICKS} 0 0"
    assert parse_busy(line) == 3.0


def test_own_work_is_seen_as_the_generators() -> None:
    with used() as usage:
        sum(range(3_000_000))
    assert usage.seconds > 0
    assert usage.cpu[GENERATOR] > 0
    assert 0 <= usage.foreign <= 1
    assert usage.micros(GENERATOR, 1) == usage.cpu[GENERATOR] * 1e6


def test_own_memory_is_seen() -> None:
    told = memory_by_role()
    assert told is not None
    assert told[GENERATOR] > 1_000_000
