"""Where vouchers were claimed, as keyed hashes: noted at issuance, judged where vouchers end up.

Only for campaigns whose definition asks for it. Hashes are made per campaign, those of addresses with
their day, so that nobody can be followed; rows go when their person is forgotten, and after `KEPT_FOR` at
the latest.
"""

from datetime import timedelta

# A voucher is used within weeks of its claim; what is used later is judged by other signals.
KEPT_FOR = timedelta(days=60)
