from datetime import timedelta

from services.issuance.wallet.operations import Wallet
from shared.jobs.handlers import Periodic

# Holders see at once that a voucher's time is over; this gives its value back.
_EVERY = timedelta(seconds=10)


def expire_vouchers(wallet: Wallet) -> Periodic:
    async def run() -> None:
        await wallet.expire_vouchers()

    return Periodic("issuance.expire_vouchers", _EVERY, run)
