"""Secrets of the settings leave no process, however they are written."""

from __future__ import annotations

import json

import pytest
from support.settings import settings

from execsvc import masking
from execsvc.settings import secrets_of

ODD = "a\"b\\c'd/e%f"
"""A token that JSON, Python and URLs each write in another way."""


@pytest.mark.parametrize(
    "text",
    [
        ODD,
        f"Bearer {ODD}, and {ODD} again",
        json.dumps({"detail": ODD}),
        json.dumps(json.dumps([ODD])),
        repr([ODD]),
        "/bots/a%22b%5Cc%27d%2Fe%25f/start",
    ],
)
def test_masked_secret_in_any_notation_is_gone(text: str) -> None:
    masking.register_secrets([ODD])
    found = masking.masked(text)
    assert masking.MASK in found
    assert "c'd" not in found
    assert "%22b" not in found


def test_masked_longer_secret_that_begins_like_another_is_gone_as_a_whole() -> None:
    masking.register_secrets(["hush"])
    masking.register_secrets(["hush-hush"])
    assert masking.masked("hush-hush, hush") == "***, ***"


def test_masked_short_secret_and_nothing_known_change_nothing() -> None:
    assert masking.masked("abc") == "abc"
    masking.register_secrets(["abc"])
    assert masking.masked("abc") == "abc"


def test_masked_json_masks_values_and_no_names() -> None:
    masking.register_secrets(["state", "12345"])
    document = {"state": "state of all", "pid": 12345, "bots": [{"name": "my state"}], "none": None}
    assert json.loads(masking.masked_json(document)) == {
        "state": "*** of all",
        "pid": 12345,
        "bots": [{"name": "my ***"}],
        "none": None,
    }


def test_secrets_of_names_every_token_and_what_an_alert_url_holds() -> None:
    given = settings(
        bot_service_token="listing-token",
        exchange_adapter_token="adapter-token",
        http_token="http-token",
        alert_urls="mailto://me:pass-word@example.org, ntfy://ntfy.sh/hidden-topic",
    )
    assert set(secrets_of(given)) == {
        "listing-token",
        "adapter-token",
        "http-token",
        "mailto://me:pass-word@example.org",
        "me:pass-word@example.org",
        "pass-word",
        "ntfy://ntfy.sh/hidden-topic",
        "ntfy.sh/hidden-topic",
    }
