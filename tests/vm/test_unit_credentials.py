"""Tokens come as credentials; no other user of the machine sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.installed import Service

SECRET = "a-token-nobody-sees"


@pytest.fixture
def token(service: Service) -> Iterator[None]:
    service.machine.write("/etc/execsvc/credentials/http_token", f"{SECRET}\n", 0o600)
    yield
    service.machine.run("rm", "/etc/execsvc/credentials/http_token")


@pytest.mark.usefixtures("token")
def test_a_token_reaches_the_service_and_no_environment(service: Service) -> None:
    service.start()
    assert service.get("/status").status_code == 401
    assert service.get("/status", Authorization=f"Bearer {SECRET}").status_code == 200
    environments = service.shown("environ")
    assert any(environments)
    assert SECRET not in "".join(environments)
    assert SECRET not in service.show("Environment")
    assert SECRET not in service.journal()


@pytest.mark.usefixtures("token")
def test_other_users_cannot_read_it(service: Service) -> None:
    service.start()
    for path in (
        "/etc/execsvc/credentials/http_token",
        "/run/credentials/execsvc.service/execsvc_http_token",
        service.env_file,
    ):
        assert service.machine.path(path).exists()
        tried = service.machine.attempt("setpriv", "--reuid=nobody", "--clear-groups", "cat", path)
        assert "Permission denied" in tried.stderr


def test_without_any_it_starts(service: Service) -> None:
    service.machine.run("mv", "/etc/execsvc/credentials", "/etc/execsvc/elsewhere")
    try:
        service.start()
        assert service.get("/status").status_code == 200
    finally:
        service.machine.run("mv", "/etc/execsvc/elsewhere", "/etc/execsvc/credentials")
