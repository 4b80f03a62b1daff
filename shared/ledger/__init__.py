"""A campaign's money: who pays, in which shares, and every move from account to account."""

from shared.ledger.operations import Pieces, cover, open_fund, set_budget, set_shares, settle
from shared.ledger.store import Cause, Fund, FundVersion, Payer, accounts, fund_of, lock_fund, versions

__all__ = [
    "Cause",
    "Fund",
    "FundVersion",
    "Payer",
    "Pieces",
    "accounts",
    "cover",
    "fund_of",
    "lock_fund",
    "open_fund",
    "set_budget",
    "set_shares",
    "settle",
    "versions",
]
