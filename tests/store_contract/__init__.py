"""What every store must do, whatever database is under it: one check is one function of a store."""

from tests.store_contract import cases, house, pages, reaching, rosters, taking_in
from tests.store_contract.checks import CONTRACT, Check

__all__ = ["CONTRACT", "Check", "cases", "house", "pages", "reaching", "rosters", "taking_in"]
