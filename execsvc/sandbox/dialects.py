"""The words in which exchanges refuse an order, as their adapter passes them on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from execsvc.errors import OrderRefused
from execsvc.paper.terms import Fault, NotTaken


class Dialect(str, Enum):
    """The exchange that uses the words."""

    BINANCE = "binance"
    BINANCE_CODES = "binance_codes"
    """Binance's words for refusals before its filters."""
    BYBIT = "bybit"
    KRAKEN = "kraken"
    KUCOIN = "kucoin"
    OKX = "okx"
    UNHEARD_OF = "unheard_of"
    """One word for all faults, which no list contains."""


_WORDS: Mapping[Dialect, Mapping[Fault, str]] = {
    Dialect.BINANCE_CODES: {
        Fault.BALANCE: '{"code":-2010,"msg":"Account balance is not enough."}',
        Fault.STEP: '{"code":-1111,"msg":"Precision is over the maximum defined for this asset."}',
        Fault.AMOUNT_TOO_SMALL: '{"code":-1013,"msg":"Invalid quantity."}',
        Fault.AMOUNT_TOO_LARGE: '{"code":-1013,"msg":"Invalid quantity."}',
        Fault.WORTH_TOO_SMALL: '{"code":-4164,"msg":"Order\'s notional must be no smaller than 5."}',
        Fault.WORTH_TOO_LARGE: '{"code":-1013,"msg":"Invalid quantity."}',
    },
    Dialect.BYBIT: {
        Fault.BALANCE: '{"retCode":170131,"retMsg":"Balance insufficient "}',
        Fault.STEP: '{"retCode":170137,"retMsg":"Order volume decimal too long"}',
        Fault.AMOUNT_TOO_SMALL: '{"retCode":170136,"retMsg":"Order quantity lower than the minimum."}',
        Fault.AMOUNT_TOO_LARGE: '{"retCode":170124,"retMsg":"Order amount too large."}',
        Fault.WORTH_TOO_SMALL: '{"retCode":170140,"retMsg":"Order value exceeded lower limit."}',
        Fault.WORTH_TOO_LARGE: '{"retCode":170124,"retMsg":"Order amount too large."}',
    },
    Dialect.KRAKEN: {
        Fault.BALANCE: '{"error":["EOrder:Insufficient funds"]}',
        Fault.STEP: '{"error":["EGeneral:Invalid arguments:volume"]}',
        Fault.AMOUNT_TOO_SMALL: '{"error":["EOrder:Order minimum not met"]}',
        Fault.AMOUNT_TOO_LARGE: '{"error":["EGeneral:Invalid arguments:volume"]}',
        Fault.WORTH_TOO_SMALL: '{"error":["EOrder:Cost minimum not met"]}',
        Fault.WORTH_TOO_LARGE: '{"error":["EGeneral:Invalid arguments:volume"]}',
    },
    Dialect.KUCOIN: {
        Fault.BALANCE: '{"code":"200004","msg":"Balance insufficient!"}',
        Fault.STEP: '{"code":"400100","msg":"Order size increment invalid."}',
        Fault.AMOUNT_TOO_SMALL: '{"code":"400100","msg":"Order size below the minimum requirement."}',
        Fault.AMOUNT_TOO_LARGE: '{"code":"300000","msg":"Order size invalid."}',
        Fault.WORTH_TOO_SMALL: '{"code":"600100","msg":"Funds below the minimum requirement."}',
        Fault.WORTH_TOO_LARGE: '{"code":"300000","msg":"Order size invalid."}',
    },
    Dialect.OKX: {
        Fault.BALANCE: '{"sCode":"51008","sMsg":"Order failed. Insufficient USDT balance in account."}',
        Fault.STEP: '{"sCode":"51121","sMsg":"Order quantity must be a multiple of the lot size."}',
        Fault.AMOUNT_TOO_SMALL: '{"sCode":"51020","sMsg":"Your order should meet the minimum."}',
        Fault.AMOUNT_TOO_LARGE: '{"sCode":"51202","sMsg":"Market order amount exceeds the max."}',
        Fault.WORTH_TOO_SMALL: '{"sCode":"51020","sMsg":"Your order should meet the minimum."}',
        Fault.WORTH_TOO_LARGE: '{"sCode":"51201","sMsg":"Value of per market order is too much."}',
    },
    Dialect.UNHEARD_OF: dict.fromkeys(Fault, "the order was rejected"),
}


def refusal_text(dialect: Dialect, error: OrderRefused) -> str:
    """The adapter's answer to an order that its exchange refuses with ``error``."""
    words = _WORDS.get(dialect)
    if words is None or not isinstance(error, NotTaken):
        return f"binance {error}"
    return f"{dialect.value} {words[error.fault]}"
