"""The words of exchanges: what each means, and which leave the outcome of an order open."""

from __future__ import annotations

import pytest

from execsvc.clients.exchange_words import WORDS, is_certain, meaning
from execsvc.model.refusal import Refusal

R = Refusal
SAID: list[tuple[str, Refusal | None]] = [
    ('{"code":-1111,"msg":"Precision is over the maximum defined for this asset."}', R.STEP),
    ('binance {"code":-1013,"msg":"Invalid quantity."}', R.SIZE),
    ('binance {"code":-1013,"msg":"Filter failure: MARKET_LOT_SIZE"}', R.SIZE),
    ('{"code":-1013,"msg":"Filter failure: LOT_SIZE"}', R.SIZE),
    ('{"code":-1013,"msg":"Filter failure: NOTIONAL"}', R.WORTH),
    ('{"code":-1013,"msg":"Filter failure: MIN_NOTIONAL"}', R.TOO_SMALL),
    ('{"code":-1013,"msg":"Filter failure: PRICE_FILTER"}', R.PRICE),
    ('{"code":-2010,"msg":"Filter failure: PERCENT_PRICE_BY_SIDE"}', R.PRICE),
    ("-2010 insufficient balance", R.BALANCE),
    ("Account has insufficient balance for requested action.", R.BALANCE),
    ('binance {"code":-4005,"msg":"Quantity greater than max quantity."}', R.TOO_LARGE),
    ('binance {"code":-4004,"msg":"Quantity less than min quantity."}', R.TOO_SMALL),
    ('{"code":-1121,"msg":"Invalid symbol."}', R.SYMBOL),
    ('{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}', R.KEY),
    (
        'okx {"code":"1","data":[{"sCode":"51121","sMsg":"Order quantity must be a multiple"}]}',
        R.STEP,
    ),
    ("51121 Order count should be the integer multiples of the lot size", R.STEP),
    ("okx 51008 Order failed. Insufficient USDT balance in account.", R.BALANCE),
    (
        '{"sCode":"51020","sMsg":"Your order should meet or exceed the minimum order amount."}',
        R.TOO_SMALL,
    ),
    ('{"sCode":"51202","sMsg":"Market order amount exceeds the maximum amount."}', R.TOO_LARGE),
    ('kraken {"error":["EOrder:Insufficient funds"]}', R.BALANCE),
    ('kraken {"error":["EOrder:Order minimum not met"]}', R.TOO_SMALL),
    ('kraken {"error":["EGeneral:Invalid arguments:volume minimum not met"]}', R.TOO_SMALL),
    ('kraken {"error":["EGeneral:Invalid arguments:volume"]}', R.SIZE),
    ('kraken {"error":["EAPI:Invalid key"]}', R.KEY),
    ('bybit {"retCode":170124,"retMsg":"Order amount too large."}', R.TOO_LARGE),
    ('bybit {"retCode":170131,"retMsg":"Balance insufficient "}', R.BALANCE),
    ('bybit {"retCode":170133,"retMsg":"Order price lower than the minimum."}', R.PRICE),
    ('bybit {"retCode":170136,"retMsg":"Order quantity lower than the minimum."}', R.TOO_SMALL),
    ("Order quantity has too many decimals. (ErrCode: 170137)", R.STEP),
    ('bybit {"retCode":170140,"retMsg":"Order value exceeded lower limit."}', R.TOO_SMALL),
    ('bybit {"retCode":170148,"retMsg":"Market order amount decimal too long."}', R.STEP),
    ('kucoin {"code":"200004","msg":"Balance insufficient!"}', R.BALANCE),
    ('kucoin {"code":"400100","msg":"Order size increment invalid."}', R.STEP),
    ('kucoin {"code":"400100","msg":"Order size below the minimum requirement."}', R.TOO_SMALL),
    ('kucoin {"code":"600100","msg":"Funds below the minimum requirement."}', R.TOO_SMALL),
    ('gate {"label":"BALANCE_NOT_ENOUGH","message":"Not enough balance"}', R.BALANCE),
    (
        'gate {"message":"Your order size 0.003 USDT is too small. The minimum is 3 USDT"}',
        R.TOO_SMALL,
    ),
    ('gate {"label":"AMOUNT_TOO_MUCH","message":"Amount too large"}', R.TOO_LARGE),
    ('coinbase {"error":"INSUFFICIENT_FUND"}', R.BALANCE),
    ('coinbase {"preview_failure_reason":"PREVIEW_INVALID_SIZE_PRECISION"}', R.STEP),
    ('coinbase {"preview_failure_reason":"PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"}', R.TOO_LARGE),
    ('coinbase {"preview_failure_reason":"PREVIEW_INVALID_PRICE_PRECISION"}', R.PRICE),
    ('upbit {"error":{"name":"insufficient_funds_ask"}}', R.BALANCE),
    ('upbit {"error":{"name":"under_min_total_bid"}}', R.TOO_SMALL),
    ('bithumb {"status":"5600","message":"최소 주문금액은 5000 KRW 입니다."}', R.TOO_SMALL),
    ('bithumb {"status":"5600","message":"주문량이 사용가능 BTC을 초과하였습니다."}', R.BALANCE),
    ("bitget size checkBDScale error value=0.078247 checkScale=3", R.STEP),
    ('mexc {"msg":"quantity scale is invalid","code":400}', R.STEP),
    ('mexc {"msg":"Oversold","code":30005}', R.BALANCE),
    (
        'htx {"err-code":"order-orderprice-precision-error","err-msg":"order price precision error"}',
        R.PRICE,
    ),
    ('htx {"err-code":"order-marketorder-amount-min-error"}', R.TOO_SMALL),
    ('cryptocom {"code":314,"message":"EXCEEDS_MAX_ORDER_SIZE"}', R.TOO_LARGE),
    ("InsufficientFunds: no", R.BALANCE),
    (
        "InvalidOrder('amount of BTC/USDT must be greater than minimum amount precision of 0.01')",
        R.TOO_SMALL,
    ),
    ("InvalidOrder: Order volume decimal too long", R.STEP),
    ("BadSymbol: does not have market symbol X/Y", R.SYMBOL),
    ("AuthenticationError", R.KEY),
    ("InvalidOrder: no", None),
    ("exchange request failed", None),
    ("RequestTimeout", None),
    ("IP banned until 1767292988078", None),
    ("the best price is 51121.50", None),
    ("order 170137 of the day", None),
    ("insufficient  balance of patience", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "refusal"), SAID, ids=[text[:60] for text, _ in SAID])
def test_meaning_of_a_text_is_that_of_its_exchange(text: str, refusal: Refusal | None) -> None:
    assert meaning(text) is refusal
    assert meaning(f"settled as NONE: POST /order: HTTP 500: {text}") is refusal


def test_words_of_the_contract_alone_are_certain() -> None:
    certain = [row for row in WORDS if row.certain]
    assert {row.exchange for row in certain} == {"Binance", "ccxt"}
    open_words = [text for text, _ in SAID if not is_certain(text)]
    for named in ("-1111", "51121", "Invalid quantity", "EOrder:Insufficient funds", "170124"):
        assert any(named in text for text in open_words)


def test_texts_of_this_service_have_no_meaning() -> None:
    for text in (
        "POST /order: HTTP 500",
        "POST /order: HTTP 307: redirects are refused",
        "POST /order: cannot connect: Connection refused",
        "POST /order: details.amount is more than was ordered",
        "settled as NONE",
        "settled by the adapter's records",
        "nothing was filled",
    ):
        assert meaning(text) is None
