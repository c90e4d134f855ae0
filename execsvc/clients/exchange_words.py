"""The words in which exchanges refuse orders: one table for the whole service.

A refusal reaches this service as the text of an HTTP 500 of the adapter. Two questions are put to
that text. :func:`is_certain`: was the order definitely not executed (CONTRACTS section 2)? Every
other text leaves the outcome unknown, and settlement decides. :func:`meaning`: once the order is
known not to have executed, how should the next amount differ?

The sources are the exchanges' published error lists and the exceptions tables of ccxt.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from execsvc.model.refusal import Refusal


class Words(NamedTuple):
    """One row of the table: the ``exchange`` that uses the words, and their meaning.

    ``refusal`` is None for words that say no more than that the order was refused.
    """

    exchange: str
    pattern: re.Pattern[str]
    refusal: Refusal | None
    certain: bool = False
    """The order was definitely not executed."""


_QUOTED = 250
"""Characters of a text that are quoted in any case."""
_BEFORE = 60
"""Characters that are quoted before words that come late."""


def _text(pattern: str) -> re.Pattern[str]:
    """A pattern for a text in any case."""
    return re.compile(pattern, re.IGNORECASE)


def _name(names: str) -> re.Pattern[str]:
    """A pattern for a name as it is written, not within a longer one."""
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{names})(?![A-Za-z0-9_])")


def _code(exchange: str, *codes: str) -> re.Pattern[str]:
    """A pattern for an exchange's error codes; not for a number that a text merely mentions."""
    before = rf"(?:^|[:=,\[({{\"']\s*|{exchange}\s+|code\s*)"
    return re.compile(rf"{before}(?:{'|'.join(codes)})(?![\d.]\d|\d)", re.IGNORECASE)


def _certain_words() -> tuple[Words, ...]:
    """The words of an exchange after which CONTRACTS calls an order definitely not executed."""
    return (
        Words("Binance", _text(r"\binsufficient balance\b"), Refusal.BALANCE, True),
        Words("Binance", _name("(?:MARKET_)?LOT_SIZE"), Refusal.SIZE, True),
        Words("Binance", _name("MIN_NOTIONAL"), Refusal.TOO_SMALL, True),
        Words("Binance", _name("NOTIONAL"), Refusal.WORTH, True),
        Words("Binance", _name("PRICE_FILTER"), Refusal.PRICE, True),
    )


def _names_of_ccxt() -> tuple[Words, ...]:
    """The exceptions of ccxt, certain as well, and looked at last.

    They say less than the words that ccxt quotes.
    """
    return (
        Words("ccxt", _name("InsufficientFunds"), Refusal.BALANCE, True),
        Words("ccxt", _name("BadSymbol"), Refusal.SYMBOL, True),
        Words("ccxt", _name("AuthenticationError|PermissionDenied"), Refusal.KEY, True),
        Words("ccxt", _name("InvalidOrder"), None, True),
    )


def _words_of_exchanges() -> tuple[Words, ...]:
    """Words that leave the outcome open until it is settled, the more specific ones first."""
    balance, step, price = Refusal.BALANCE, Refusal.STEP, Refusal.PRICE
    large, small, size = Refusal.TOO_LARGE, Refusal.TOO_SMALL, Refusal.SIZE
    symbol, key = Refusal.SYMBOL, Refusal.KEY
    return (
        Words("ccxt", _text(r"greater than (?:the )?minimum amount precision"), small),
        # HTX and Coinbase have words of one form for amounts and for prices.
        Words("HTX", _text(r"price[ _-]precision|PRICE_PRECISION"), price),
        Words("Binance", _name("PERCENT_PRICE(?:_BY_SIDE)?"), price),
        Words("Binance", _code("binance", "-1111"), step),
        Words("Binance", _text(r"precision is over the maximum"), step),
        Words("Binance", _code("binance", "-4023"), step),
        Words("Binance", _text(r"not increased by step size"), step),
        Words("Binance", _text(r"quantity greater than max"), large),
        Words("Binance", _text(r"quantity less than (?:or equal to )?(?:zero|min)"), small),
        Words("Binance", _text(r"notional must be no smaller than"), small),
        Words("Binance", _text(r"invalid quantity(?! format)"), size),
        Words("Binance", _code("binance", "-1121"), symbol),
        Words("Binance", _code("binance", "-2014", "-2015", "-1022"), key),
        Words("OKX", _code("okx", "51121"), step),
        Words("OKX", _text(r"multiples? of (?:the )?lot ?size"), step),
        Words("OKX", _code("okx", "51008", "51119", "51127", "51131"), balance),
        Words("OKX", _code("okx", "51020", "51118", "51120"), small),
        Words("OKX", _code("okx", "51004", "51005", "51185", "51201", "51202", "51203"), large),
        Words("OKX", _code("okx", "51116", "51136", "51137", "51138"), price),
        Words("OKX", _code("okx", "51001", "51021", "51087"), symbol),
        Words("OKX", _code("okx", "50111", "50113", "50119"), key),
        Words("Bybit", _code("bybit", "170137", "170148"), step),
        Words("Bybit", _code("bybit", "170131", "170033"), balance),
        Words("Bybit", _code("bybit", "170136", "170140"), small),
        Words(
            "Bybit",
            _code("bybit", "170124", "170135", "170197", "170198", "170228", "170229"),
            large,
        ),
        Words("Bybit", _code("bybit", "170132", "170133", "170134"), price),
        Words("Bybit", _code("bybit", "170121"), symbol),
        Words("Bybit", _text(r"\bAPI key is invalid\b"), key),
        Words("Kraken", _text(r"EOrder:I?Insufficient funds"), balance),
        Words("Kraken", _text(r"EOrder:(?:Order|Cost) minimum not met"), small),
        Words("Kraken", _text(r"Invalid arguments:volume minimum not met"), small),
        Words("Kraken", _text(r"Invalid arguments:volume"), size),
        Words("Kraken", _text(r"Invalid arguments:price|EOrder:Invalid price"), price),
        Words("Kraken", _text(r"EQuery:(?:Unknown|Invalid) asset"), symbol),
        Words("Kraken", _text(r"EAPI:Invalid (?:key|signature)|EGeneral:Permission denied"), key),
        Words("KuCoin", _text(r"order size increment invalid"), step),
        Words("KuCoin", _text(r"order size invalid"), size),
        Words("KuCoin", _code("kucoin", "200004", "230003", "210021"), balance),
        Words("KuCoin", _text(r"below the minimum requirement"), small),
        Words("KuCoin", _text(r"order funds should more then"), small),
        Words("KuCoin", _text(r"symbolNotAvailable"), symbol),
        Words("Gate", _name("(?:MARGIN_)?BALANCE_NOT_ENOUGH"), balance),
        Words("Gate", _name("INVALID_PRECISION"), step),
        Words("Gate", _name("AMOUNT_TOO_LITTLE"), small),
        Words("Gate", _name("AMOUNT_TOO_MUCH"), large),
        Words("Gate", _text(r"your order size .{0,40}too small"), small),
        Words("Gate", _name("INVALID_CURRENCY_PAIR"), symbol),
        Words("Gate", _name("INVALID_KEY|INVALID_SIGNATURE"), key),
        Words("Coinbase", _text(r"INSUFFICIENT_FUND"), balance),
        Words("Coinbase", _text(r"INVALID_(?:BASE_|QUOTE_)?SIZE_PRECISION"), step),
        Words("Coinbase", _text(r"SIZE_TOO_SMALL|size is too small"), small),
        Words("Coinbase", _text(r"SIZE_TOO_LARGE|size is too large"), large),
        Words("Coinbase", _text(r"size is too accurate"), step),
        Words("Upbit", _text(r"insufficient_funds"), balance),
        Words("Upbit", _text(r"under_min_total"), small),
        Words("Upbit", _text(r"volume_too_large|over_.{0,10}total"), large),
        Words("Bithumb", _text("최소 ?주문 ?(?:금액|수량)"), small),
        Words("Bithumb", _text("최대 ?주문 ?(?:금액|수량)"), large),
        Words("Bithumb", _text("사용 ?가능.{0,20}초과"), balance),
        Words("Bitget", _text(r"size check(?:BD)?Scale"), step),
        Words("Bitget", _text(r"order amount exceeds the balance"), balance),
        Words("Bitget", _text(r"maximum order value limit"), large),
        Words("Bitget", _text(r"less than the minimum amount"), small),
        Words("MEXC", _text(r"(?:quantity|amount) scale is invalid"), step),
        Words("MEXC", _text(r"\bOversold\b|Insufficient position"), balance),
        Words("MEXC", _text(r"minimum transaction volume"), small),
        Words("MEXC", _text(r"maximum transaction volume"), large),
        Words("HTX", _text(r"amount[ -]precision[ -]error"), step),
        Words("HTX", _text(r"balance-insufficient-error"), balance),
        Words("HTX", _text(r"order-\w*amount[\w-]*-min-error"), small),
        Words("HTX", _text(r"order-\w*amount[\w-]*-max-error"), large),
        Words("Crypto.com", _text(r"invalid quantity format"), step),
        Words("Crypto.com", _name("INSUFFICIENT_AVAILABLE_BALANCE"), balance),
        Words("Crypto.com", _name("EXCEEDS_MAX_ORDER_SIZE"), large),
        Words("Crypto.com", _name("BELOW_MIN_ORDER_SIZE"), small),
        Words("WhiteBIT", _text(r"min amount step"), step),
        Words("WhiteBIT", _text(r"less than min amount|total is less than"), small),
        Words("Bitstamp", _text(r"no more than \d+ decimal places"), step),
        Words("Bitstamp", _text(r"check your account balance"), balance),
        Words("Bitstamp", _text(r"minimum order size"), small),
        Words("Bitfinex", _text(r"not enough \w+ balance"), balance),
        Words("Bitfinex", _text(r"minimum size for"), small),
        Words("Bitfinex", _text(r"maximum size for"), large),
    )


def _words_of_several() -> tuple[Words, ...]:
    """The words that many exchanges use in much the same form."""
    amount = r"(?:amount|quantity|size|volume|value|notional)"
    return (
        Words(
            "several",
            _text(
                r"insufficient (?:available |account |wallet )?(?:balance|funds)|not enough "
                r"(?:balance|funds)|balance (?:is )?(?:not enough|insufficient|not sufficient)|"
                r"sufficient balance"
            ),
            Refusal.BALANCE,
        ),
        Words(
            "several",
            _text(
                rf"{amount} .{{0,20}}(?:too many decimal|decimals? (?:places )?(?:is )?too long)|"
                rf"decimal places of the trading size|{amount} .{{0,20}}multiple of"
            ),
            Refusal.STEP,
        ),
        Words(
            "several",
            _text(
                rf"{amount} .{{0,20}}(?:too large|exceeds? (?:the )?(?:max|limit|upper)|"
                r"greater than (?:the )?max|above the max)"
            ),
            Refusal.TOO_LARGE,
        ),
        Words(
            "several",
            _text(
                rf"{amount} .{{0,20}}(?:too small|below the min|(?:less|lower|smaller) than "
                r"(?:(?:the )?min|[\d.]+)|greater than the min|must be at least)"
            ),
            Refusal.TOO_SMALL,
        ),
        Words("several", _text(r"\bprecision\b"), Refusal.STEP),
    )


WORDS: tuple[Words, ...] = (
    *_certain_words(),
    *_words_of_exchanges(),
    *_words_of_several(),
    *_names_of_ccxt(),
)
"""The table; the first row that matches decides the meaning of a text."""


def is_certain(text: str) -> bool:
    """True when ``text`` of an HTTP 500 says that the order was definitely not executed."""
    return any(row.certain and row.pattern.search(text) for row in WORDS)


def where_words_begin(text: str) -> int:
    """The position from which to quote a long ``text``, so that the words of the table are quoted."""
    found = next((match for row in WORDS if (match := row.pattern.search(text))), None)
    if found is None or found.end() <= _QUOTED:
        return 0
    return max(found.start() - _BEFORE, 0)


def meaning(text: str) -> Refusal | None:
    """The meaning of a refusal with ``text``; None when no row of the table matches."""
    return next((row.refusal for row in WORDS if row.refusal and row.pattern.search(text)), None)
