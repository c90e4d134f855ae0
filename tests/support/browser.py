"""Debian's chromium, driven through the WebDriver protocol of its chromedriver."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from support.deadline import eventually
from support.environment import scrubbed

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
]


class Browser:
    """One window."""

    def __init__(self, driver: str, folder: Path) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._url = driver
        options = {
            "binary": shutil.which("chromium"),
            "args": [*ARGUMENTS, f"--user-data-dir={folder}", "--window-size=1280,900", "data:,"],
        }
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._url += f"/session/{made['sessionId']}"
        self.forget()

    def forget(self, scripts: bool = True) -> None:
        """As if it were new. With ``scripts`` off, pages run none of theirs."""
        self.open("data:,")
        self.command("Emulation.clearDeviceMetricsOverride")
        self.command("Emulation.setEmulatedMedia", features=[])
        self.command("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.command("Network.clearBrowserCookies")
        self.command("Network.clearBrowserCache")
        self.complaints()
        self.requested()

    def open(self, url: str) -> None:
        """Load a page, and wait until it is there."""
        self._call("POST", "/url", {"url": url})

    def run(self, script: str) -> Any:
        """The result of ``script``, which runs where pages may run none as well."""
        return self._call("POST", "/execute/sync", {"script": script, "args": []})

    def text(self, selector: str) -> str:
        """The text of the first such element; empty when there is none."""
        found: str = self.run(
            f"return document.querySelector({json.dumps(selector)})?.innerText ?? ''"
        )
        return found

    def command(self, name: str, **parameters: Any) -> Any:
        """One command of the developer tools."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def size(self, width: int, height: int) -> None:
        """Show pages as a window of this size would; a telephone's is narrower than any window."""
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def colours(self, scheme: str) -> None:
        """``dark`` or ``light``."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", features=[feature])

    def complaints(self) -> list[str]:
        """The lines of its console since the last call."""
        return [entry["message"] for entry in self._log("browser")]

    def requested(self) -> set[str]:
        """The addresses that it asked for since it was asked last."""
        events = [json.loads(entry["message"])["message"] for entry in self._log("performance")]
        return {
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        }

    def picture(self) -> bytes:
        """The page as it is shown, as PNG."""
        return base64.b64decode(self._call("GET", "/screenshot"))

    def close(self) -> None:
        """End it."""
        self._call("DELETE", "")

    def _log(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("POST", "/se/log", {"type": kind})
        return found

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(method, self._url + path, json=body, timeout=120)
        value = answer.json()["value"]
        assert answer.ok, value
        return value


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """A window that ends with the block; ``folder`` is for its profile and its log."""
    folder.mkdir(parents=True, exist_ok=True)
    said = folder / "driver.log"
    with said.open("wb") as log:
        driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=scrubbed(HOME=str(folder)),
            start_new_session=True,
        )
    try:
        port = eventually(
            lambda: re.search(r"started successfully on port (\d+)", said.read_text()), "its port"
        )
        window = Browser(f"http://127.0.0.1:{port[1]}", folder / "profile")
        try:
            yield window
        finally:
            window.close()
    finally:
        driver.terminate()
        driver.wait(timeout=30)
