"""Settings, made and refused."""

from __future__ import annotations

from typing import Any

import pytest

from execsvc.errors import ConfigRefused
from execsvc.settings import Settings, load, variable_of

URLS = {
    "EXECSVC_BOT_SERVICE_URL": "http://bots:8000",
    "EXECSVC_EXCHANGE_ADAPTER_URL": "https://adapter/api/v1/",
}


def settings(**variables: str) -> Settings:
    named = {variable_of(name): value for name, value in variables.items()}
    return load(named, None, {**URLS, "HOME": "/home/u"})


def faults(environ: dict[str, str], **kwargs: Any) -> list[str]:
    with pytest.raises(ConfigRefused) as refused:
        load(kwargs.pop("overrides", {}), kwargs.pop("env_file", None), environ, **kwargs)
    return list(refused.value.faults)
