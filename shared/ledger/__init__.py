"""A campaign's money: who pays, in which shares, and every move from account to account."""

from shared.ledger.store import Fund, Payer, fund_of, lock_fund, open_fund

__all__ = ["Fund", "Payer", "fund_of", "lock_fund", "open_fund"]
