"""The settings of the embedded Postgres: one small machine, durable, nothing personal in its log."""

from pathlib import Path

# The pools of the four services in one process (shared/settings.py: 6, 6 and 2 each), rounded up.
CONNECTIONS_PER_PROCESS = 60
# For `hv` itself, psql, a backup.
CONNECTIONS_SPARE = 20

_SETTINGS = """\
# Written by the launcher at every start; put your own settings into custom.conf beside this file.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
password_encryption = 'scram-sha-256'
max_connections = {max_connections}

# Memory: the whole stack is to stay below 1 GiB.
shared_buffers = '128MB'
effective_cache_size = '512MB'
work_mem = '8MB'
maintenance_work_mem = '64MB'
temp_file_limit = '2GB'

# Solid state disks; short statements gain nothing from compilation or parallel plans.
random_page_cost = 1.1
jit = off
max_parallel_workers_per_gather = 0

wal_buffers = '8MB'
min_wal_size = '160MB'
max_wal_size = '1GB'
checkpoint_timeout = '10min'
checkpoint_completion_target = 0.9
{durability}

# Hot rows change all the time: vacuum early, in small steps.
autovacuum_naptime = '15s'
autovacuum_vacuum_scale_factor = 0.05
autovacuum_analyze_scale_factor = 0.05
autovacuum_vacuum_cost_limit = 1000

# Parameters and the DETAIL of an error may hold personal data: neither is logged.
logging_collector = off
log_error_verbosity = terse
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_min_duration_statement = '1s'
log_lock_waits = on
log_checkpoints = off
log_line_prefix = '%m [%p] %q%a '
log_timezone = 'UTC'
timezone = 'UTC'
lc_messages = 'C'
datestyle = 'iso, ymd'
default_text_search_config = 'pg_catalog.simple'
include_if_exists = 'custom.conf'
"""

DURABLE = """\
fsync = on
synchronous_commit = on
full_page_writes = on
wal_level = replica
max_wal_senders = 4"""

# For throw-away databases of the test suite only: a crash of the machine would lose them.
THROW_AWAY = """\
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off"""

ACCESS = """\
# Everyone needs the password, also on the socket: the account may be shared with other services.
local all all scram-sha-256
local replication all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


def connections_for(processes: int) -> int:
    return CONNECTIONS_SPARE + CONNECTIONS_PER_PROCESS * processes


def settings_text(*, port: int, sockets: Path, connections: int, durable: bool) -> str:
    return _SETTINGS.format(
        port=port,
        sockets=str(sockets).replace("'", "''"),
        max_connections=connections,
        durability=DURABLE if durable else THROW_AWAY,
    )
