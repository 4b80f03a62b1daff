"""How late a write-off may reach the platform and still be judged by its time of use."""

from datetime import timedelta

# api.md section 3: a till without a line keeps what it wrote off and uploads it later. Until this has
# passed, a voucher whose validity ended may still turn out to have been used in time; whoever sweeps
# expired vouchers leaves it alone so long (`valid_until <= now - LATE_ARRIVAL`).
LATE_ARRIVAL = timedelta(hours=72)
