"""The page of the real program, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from support.bot_process import bot_row
from support.browser import Browser, browser
from support.colours import CONTRAST, colour
from support.daemon import Daemon
from support.deadline import eventually
from support.exchange import Exchange
from support.requirements import needs
from support.verdicts import rows

pytestmark = needs("browser")

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
TOKEN = "open-sesame-4711"
PHONE = 375


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser takes longer to start than most of these tests to run: all of them use one."""
    with browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest.fixture
def window(chromium: Browser) -> Browser:
    """The browser, as if it were new."""
    chromium.forget()
    assert runs_scripts(chromium)
    return chromium


@pytest.fixture
def bare(chromium: Browser) -> Browser:
    """The browser, as if it were new; it runs no scripts of pages."""
    chromium.forget(scripts=False)
    assert not runs_scripts(chromium)
    return chromium


def runs_scripts(window: Browser) -> bool:
    window.open("data:text/html,<title>still</title><script>document.title = 'moved'</script>")
    title = window.run("return document.title")
    window.requested()
    assert title in ("still", "moved")
    return bool(title == "moved")


def page(daemon: Daemon) -> str:
    return f"http://127.0.0.1:{daemon.port}/"


def failing(**changes: Any) -> dict[str, Any]:
    return bot_row(**{"bot_id": "bad", "strategy": "no_such_strategy_v1", **changes})


@pytest.mark.usefixtures("listing_only")
def test_what_changes_is_seen_without_a_reload(
    daemon: Daemon, exchange: Exchange, window: Browser
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    url = page(daemon)
    window.open(url)
    window.run("window.kept = 'same page'; scrollTo(0, 40)")
    assert "0.01998 BTC" in window.text("tbody")
    assert window.text(".well") == "Nothing is wrong."
    exchange.list_bots(bot_row(), failing())
    eventually(lambda: "FAILED" in window.text(".problems"), "it is said on top")
    assert "no_such_strategy_v1" in window.text(".problems li.critical")
    assert "FAILED" in window.text("tr.wrong-row .badge.bad")
    assert "wrong" in window.run("return document.title")
    exchange.list_bots()
    eventually(lambda: "Nothing is wrong." in window.text("main"), "and over", 60)
    eventually(lambda: "STOPPED" in window.text("tbody"), "it is sold and stopped", 60)
    assert "flat" in window.text("[data-part=events]")
    assert window.run("return window.kept") == "same page"
    assert window.complaints() == []
    assert window.requested() == {url}
    assert daemon.stop() == 0


@pytest.mark.usefixtures("listing_only")
def test_what_is_wrong_is_red(daemon: Daemon, exchange: Exchange, window: Browser) -> None:
    exchange.list_bots(failing())
    daemon.start()
    daemon.until("FAILED", "bad")
    for scheme in ("light", "dark"):
        window.colours(scheme)
        window.open(page(daemon))
        for selector in (".problems li", "tr.wrong-row .badge", "tr.wrong-row .error"):
            red, green, blue = colour(window, selector, "color")
            assert red > green + 50, (scheme, selector)
            assert red > blue + 50, (scheme, selector)


@pytest.mark.usefixtures("listing_only")
def test_everything_can_be_read(daemon: Daemon, exchange: Exchange, window: Browser) -> None:
    """Contrast of at least 4.5 between each text and what is behind it, in both schemes."""
    exchange.list_bots(bot_row(), failing())
    daemon.start()
    daemon.until_holding()
    daemon.until("FAILED", "bad")
    for scheme in ("light", "dark"):
        window.colours(scheme)
        window.open(page(daemon))
        worst = window.run(CONTRAST)
        assert worst["ratio"] >= 4.5, (scheme, worst)
        paper = sum(colour(window, "body", "background-color"))
        assert (paper < 3 * 128) is (scheme == "dark")


@pytest.mark.usefixtures("listing_only")
def test_without_scripts_the_page_is_whole_and_loads_itself_again(
    daemon: Daemon, exchange: Exchange, bare: Browser
) -> None:
    exchange.list_bots(bot_row(), failing())
    daemon.start()
    daemon.until_holding()
    daemon.until("FAILED", "bad")
    bare.open(page(daemon))
    for words in ("0.01998 BTC", "FAILED", "test_trading_v1", "started, pid", "Listing"):
        assert words in bare.text("main"), words
    bare.open(page(daemon) + "?state=FAILED")
    assert "0.01998 BTC" not in bare.text("tbody")
    exchange.list_bots(bot_row())
    eventually(lambda: "No bot matches." in bare.text("tbody"), "it was loaded again", 60)
    assert bare.complaints() == []


def test_on_a_telephone_nothing_is_cut_off(
    daemon: Daemon, exchange: Exchange, window: Browser
) -> None:
    long_name = "A bot whose name is long " * 3 + "andhasawordthatcannotbebroken" * 4
    exchange.list_bots(bot_row(), failing(), {**bot_row("c" * 200), "name": long_name})
    daemon.start()
    daemon.until_holding()
    daemon.until_holding("c" * 200)
    window.size(PHONE, 800)
    window.open(page(daemon))
    assert "0.01998 BTC" in window.text("tbody")
    wide, seen = window.run("return [document.documentElement.scrollWidth, innerWidth]")
    assert seen == PHONE
    assert wide <= seen
    beyond = window.run(
        "return [...document.querySelectorAll('main *')].filter((one) => "
        f"one.getBoundingClientRect().right > {PHONE} + 0.5).map((one) => one.outerHTML)"
    )
    assert beyond == []


@pytest.mark.usefixtures("listing_only")
def test_a_hostile_name_is_text(daemon: Daemon, exchange: Exchange, window: Browser) -> None:
    exchange.list_bots({**failing(), "name": HOSTILE}, {**bot_row(HOSTILE), "name": HOSTILE})
    daemon.start()
    daemon.until("FAILED", "bad")
    window.open(page(daemon) + "?q=" + quote(HOSTILE[:8]))
    assert HOSTILE in window.text("tbody")
    assert HOSTILE in window.text(".problems")
    seen = daemon.status()["bots"][0]["bot_id"]
    exchange.list_bots({**failing(), "name": HOSTILE + seen}, bot_row("b3"))
    eventually(lambda: "b3" in window.text("[data-part=events]"), "it was refreshed")
    assert window.run("return document.title").endswith("wrong · execsvc")
    assert window.run("return document.images.length + document.scripts.length") == 1
    assert window.complaints() == []


def test_a_service_that_is_gone_is_said_and_what_was_known_stays(
    daemon: Daemon, exchange: Exchange, window: Browser
) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    window.open(page(daemon))
    assert window.run("return document.getElementById('silence').hidden") is True
    assert daemon.stop() == 0
    eventually(lambda: "does not answer" in window.text("#silence"), "it says so")
    assert "bot b1" in window.text("tbody")


def test_selected_text_stays_selected(daemon: Daemon, exchange: Exchange, window: Browser) -> None:
    exchange.list_bots(bot_row())
    daemon.start()
    daemon.until_holding()
    window.open(page(daemon))
    window.run("getSelection().selectAllChildren(document.querySelector('tbody'))")
    before = window.text("header time")
    ticks = daemon.bot()["ticks"]
    eventually(lambda: daemon.bot()["ticks"] > ticks + 60, "two refreshes would have been", 60)
    assert window.text("header time") == before
    assert "bot b1" in window.run("return getSelection().toString()")
    window.run("getSelection().removeAllRanges()")
    eventually(lambda: window.text("header time") != before, "it goes on")


@pytest.mark.usefixtures("listing_only")
def test_a_thousand_bots_can_be_used(daemon: Daemon, exchange: Exchange, window: Browser) -> None:
    exchange.list_bots(*rows(1000, strategy="no_such_strategy_v1"))
    daemon.start()
    counted = "return document.querySelectorAll('tbody tr').length"
    eventually(lambda: daemon.status()["counts"].get("FAILED") == 1000, "all of them", 100)
    window.open(page(daemon))
    assert window.run(counted) == 1000
    # Another problem, as a late listing on a busy machine, is shown for as long as it lasts.
    eventually(lambda: "and 980 more" in window.text(".problems"), "no other problem is left", 60)
    window.run("window.kept = 1; scrollTo(0, 20000)")
    at = window.run("return scrollY")
    seen = window.text("header time")
    eventually(lambda: window.text("header time") != seen, "it was refreshed", 60)
    assert window.run("return scrollY") == at > 10000
    assert window.run("return window.kept") == 1
    window.open(page(daemon) + "?q=b77")
    assert window.run(counted) == 11
    assert window.complaints() == []


def test_a_browser_gives_the_token_as_a_password(
    daemon: Daemon, exchange: Exchange, window: Browser
) -> None:
    exchange.list_bots(bot_row())
    daemon.start(wait=False, EXECSVC_HTTP_TOKEN=TOKEN)
    eventually(lambda: daemon.port, "it listens")
    url = page(daemon)
    window.open(url)
    assert "RUNNING" not in window.text("body")
    window.open(url.replace("://", f"://anybody:{TOKEN}@"))
    eventually(lambda: "RUNNING" in window.text("tbody"), "it is shown", 60)
    seen = window.text("header time")
    eventually(lambda: window.text("header time") != seen, "and refreshed")
    assert window.text("#silence") == ""
    assert daemon.stop() == 0
    assert TOKEN not in daemon.log
