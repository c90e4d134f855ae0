"""``execsvc doctor``: checks everything that the service depends on."""

from __future__ import annotations

import json
import textwrap
from collections import Counter

import click

from execsvc.cli.exit_codes import exit_codes
from execsvc.cli.options import (
    SettingsSource,
    alert_targets,
    refuse_missing_extras,
    settings_options,
)
from execsvc.cli.output import WIDTH, plain_text
from execsvc.doctor.examination import ExaminationTarget, examine, examine_without_settings
from execsvc.doctor.finding import Cause, Finding, fault, passed, worst_cause
from execsvc.errors import ConfigRefused
from execsvc.exit_codes import DONE, FAULT, REFUSED, UNREACHABLE
from execsvc.settings import Settings

_CODES = {Cause.CONFIGURATION: REFUSED, Cause.UNREACHABLE: UNREACHABLE, Cause.OTHER: FAULT}
_INDENT = 22


@click.command(
    epilog=exit_codes(
        (DONE, "no fault, or warnings only"),
        (FAULT, "another fault than the two below"),
        (UNREACHABLE, "a service does not answer as it should"),
        (REFUSED, "the configuration is refused, or does not fit unit or directories"),
    )
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all findings.")
@click.option(
    "--unit",
    default="execsvc.service",
    envvar="EXECSVC_UNIT",
    show_default=True,
    metavar="NAME",
    help="The systemd unit that the service is, else EXECSVC_UNIT.",
)
@settings_options
def doctor(source: SettingsSource, as_json: bool, unit: str) -> int:
    """Check everything the service depends on; change nothing, and place no order."""
    try:
        settings = source.load()
    except ConfigRefused as refused:
        findings = examine_without_settings(unit, refused)
    else:
        findings = [
            *examine(ExaminationTarget(settings, source.env_file, unit)),
            *_alerts(settings),
        ]
    cause = worst_cause(findings)
    code = DONE if cause is None else _CODES[cause]
    click.echo(_as_json(findings, code) if as_json else _as_text(findings))
    return code


def _alerts(settings: Settings) -> list[Finding]:
    """The findings about sending alerts; ``execsvc alert`` shows whether they arrive."""
    check = "alerts"
    try:
        refuse_missing_extras(settings)
    except ConfigRefused as refused:
        do = f"{refused}, as scripts/install does"
        return [
            fault(check, "the library that sends alerts is not installed", do, Cause.CONFIGURATION)
        ]
    targets = alert_targets(settings)
    if not targets:
        return [passed(check, "no alerts are sent: EXECSVC_ALERT_URLS is not set")]
    return [
        passed(check, f"URL {target.name}: known")
        if target.understood
        else fault(
            check,
            f"URL {target.name}: apprise does not know such a URL",
            "correct the URL in EXECSVC_ALERT_URLS, then: execsvc alert",
            Cause.UNREACHABLE,
        )
        for target in targets
    ]


def _as_json(findings: list[Finding], code: int) -> str:
    shown = [
        {"check": f.check, "level": f.level.value, "what": f.what, "do": f.do or None}
        for f in findings
    ]
    return json.dumps({"exit_code": code, "findings": shown}, indent=2)


def _as_text(findings: list[Finding]) -> str:
    counts = Counter(finding.level.value for finding in findings)
    summary = ", ".join(f"{counts[level]} {level}" for level in ("ok", "warning", "fault"))
    return "\n".join([*(line for finding in findings for line in _lines(finding)), summary])


def _lines(finding: Finding) -> list[str]:
    first = f"{finding.level.value:<7}  {finding.check:<11}  "
    lines = _wrapped(finding.what, first)
    return lines + (_wrapped(f"-> {finding.do}", " " * _INDENT) if finding.do else [])


def _wrapped(text: str, first: str) -> list[str]:
    return textwrap.wrap(
        plain_text(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * _INDENT,
        break_on_hyphens=False,
    )
