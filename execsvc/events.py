"""The names of the log's events, by which others search and alert: a stable interface.

A record has its name in ``event``, the journal in ``EVENT``, a row of a bot's execution log in
``event``. The operator's page and ``execsvc help events`` are made of this table; tests check that
no other event is logged and that each event has a test in which the real code logs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

EventName = Literal[
    "account_banned",
    "account_crowded",
    "accounts_not_locked",
    "alert_dropped",
    "alert_failed",
    "alert_sent",
    "alerts_forgotten",
    "alerts_not_written",
    "ballast_missing",
    "bot_abandon_asked",
    "bot_change_refused",
    "bot_changed",
    "bot_crashed",
    "bot_failed",
    "bot_flat",
    "bot_given_back",
    "bot_given_up",
    "bot_held",
    "bot_invalid",
    "bot_liquidating",
    "bot_restarted",
    "bot_start_told",
    "bot_started",
    "bot_stop_asked",
    "bot_stop_told",
    "bot_stopped",
    "bot_stopping",
    "bot_unlisted",
    "bot_word_failed",
    "child_hung",
    "child_restarted",
    "coins_gone",
    "coins_missing",
    "control_lost",
    "control_renewed",
    "disk_full",
    "fees_booked",
    "fork_failed",
    "guard_cleared",
    "guard_tripped",
    "halt_not_written",
    "halt_restored",
    "held_not_written",
    "held_unreadable",
    "history_unknown",
    "host_joined",
    "host_taken_over",
    "lease_lost",
    "ledger_failed",
    "ledger_unavailable",
    "lines_left_out",
    "liquidation_attempt_failed",
    "liquidation_failed",
    "liquidation_recovered",
    "listing_failed",
    "listing_may_be_cut",
    "listing_recovered",
    "loop_stalled",
    "mass_stop_held_back",
    "maximum_learnt",
    "on_stop_error",
    "on_stop_skipped",
    "order_booked_contested",
    "order_contested",
    "order_filled",
    "order_intent",
    "order_priced",
    "order_refused",
    "order_settled",
    "order_unknown",
    "orphan_killed",
    "position_abandoned",
    "position_contested",
    "position_dust",
    "position_held",
    "position_kept",
    "position_left",
    "process_failed",
    "process_killed",
    "process_started",
    "rehearsal_failed",
    "report_failed",
    "report_recovered",
    "reports_off",
    "reports_unreadable",
    "request_failed",
    "result_unknown",
    "row_noted",
    "rows_wait_in_vain",
    "rows_without_id",
    "service_failed",
    "service_hurried",
    "service_out_of_time",
    "service_started",
    "service_stopped",
    "service_stopping",
    "settings_late",
    "settings_read",
    "settings_refused",
    "settings_warning",
    "short_dropped",
    "state_moved",
    "status_shown",
    "step_learnt",
    "stop_loss_unknown",
    "store_connection_lost",
    "store_request_refused",
    "store_unreachable",
    "strategy_error",
    "strategy_judged",
    "strategy_said",
    "stray_killed",
    "stray_left",
    "subreaper_missing",
    "tick_skipped",
    "trades_dropped",
    "trading_halted",
    "trading_resumed",
]


class Event(NamedTuple):
    """The meaning of an event."""

    level: str
    """The highest level at which it is logged; repetitions in between may be logged at DEBUG."""
    when: str
    fields: tuple[str, ...] = ()
    """The fields that its record always has, besides the bot's strategy, symbol and key in its own
    process.
    """
    in_text: tuple[str, ...] = ()
    """Fields that its text contains already: a line of text does not repeat them."""


_ORDER = ("bot_id", "order_id", "side", "amount", "filled", "reason")
_ASKED = ("side", "amount", "filled", "reason")
_BOT = ("bot_id",)
_PROCESS = ("bot_id", "pid")

EVENTS: Mapping[EventName, Event] = {
    # Orders and positions, by the bot's own process; these are in its execution log too.
    "order_intent": Event("DEBUG", "an order is about to be sent", ("bot_id", "order_id")),
    "order_filled": Event(
        "INFO", "an order was executed, wholly or partly", _ORDER, (*_ASKED, "average")
    ),
    "order_refused": Event("WARNING", "an order was definitely not executed", _ORDER, _ASKED),
    "order_unknown": Event(
        "WARNING", "the outcome of an order is not known from its answer", ("bot_id", "order_id")
    ),
    "order_settled": Event(
        "WARNING",
        "an unknown outcome is decided; FILLED is the result",
        ("bot_id", "order_id", "filled"),
    ),
    "order_priced": Event(
        "INFO",
        "an order's answer has no price; AVERAGE is from another source",
        ("bot_id", "order_id"),
    ),
    "order_contested": Event(
        "CRITICAL",
        "the outcome of an order cannot be decided: execsvc settle",
        ("bot_id", "order_id", "filled"),
    ),
    "order_booked_contested": Event(
        "WARNING", "a contested order is booked, for now", _ORDER, _ASKED
    ),
    "step_learnt": Event("WARNING", "the exchange takes fewer decimals than assumed", _BOT),
    "maximum_learnt": Event("WARNING", "an amount is above what the exchange takes at once", _BOT),
    "position_dust": Event(
        "DEBUG", "the rest of a position is too small to be sold", ("bot_id", "tracked")
    ),
    "short_dropped": Event("WARNING", "a quantity sold short is not bought back", _BOT),
    "coins_missing": Event(
        "WARNING", "the account holds less than the bot bought", ("bot_id", "missing")
    ),
    "position_abandoned": Event(
        "CRITICAL", "an operator abandons a position: release --abandon", ("bot_id", "tracked")
    ),
    "fees_booked": Event("WARNING", "fees took some of what the bot bought", ("bot_id", "missing")),
    "position_contested": Event(
        "CRITICAL", "a position's ledger may be older than its account", _BOT
    ),
    "history_unknown": Event("WARNING", "BotService does not say which orders it knows", _BOT),
    "coins_gone": Event("CRITICAL", "missing coins are booked as gone", ("bot_id", "missing")),
    "result_unknown": Event(
        "ERROR", "an order is booked, its realised result is not", ("bot_id", "order_id")
    ),
    "guard_tripped": Event("WARNING", "a guard stops entries, never an exit", ("bot_id", "guard")),
    "guard_cleared": Event("INFO", "entries are free again", ("bot_id", "guard")),
    "liquidation_attempt_failed": Event("WARNING", "one attempt to sell failed", _BOT),
    "liquidation_failed": Event(
        "CRITICAL", "all attempts failed, the position is open", ("bot_id", "tracked")
    ),
    "stop_loss_unknown": Event("WARNING", "it is not known whether the stop loss is reached", _BOT),
    "liquidation_recovered": Event(
        "INFO", "a position whose liquidation had failed is closed", _BOT
    ),
    # The life of a bot, by its own process; these are in its execution log too.
    "bot_started": Event("INFO", "the bot's position is recovered, it begins to tick", _BOT),
    "bot_stopping": Event("INFO", "the bot was told to stop, and sells what it holds", _BOT),
    "bot_given_back": Event("WARNING", "the bot does not run: BotService is told to stop it", _BOT),
    "bot_given_up": Event("ERROR", "the bot stops because its strategy raised too often", _BOT),
    "bot_flat": Event("INFO", "the bot's process ends with nothing left open", _BOT),
    "position_kept": Event("INFO", "the bot's process ends without selling, as told", _BOT),
    "tick_skipped": Event("WARNING", "a read failed or an order was refused", _BOT),
    "strategy_said": Event("INFO", "a log line of the strategy", _BOT),
    "strategy_judged": Event(
        "DEBUG",
        "a signal began or ended, or an entry was refused",
        _BOT,
    ),
    "strategy_error": Event("ERROR", "the strategy raised; with the traceback", _BOT),
    "on_stop_error": Event("ERROR", "the strategy's on_stop raised; with the traceback", _BOT),
    "on_stop_skipped": Event("WARNING", "the strategy's on_stop met a failed read or order", _BOT),
    "trades_dropped": Event(
        "WARNING", "public trades are left out: their side is unreadable", _BOT
    ),
    "ledger_failed": Event("CRITICAL", "the bot's ledger cannot be read or written", _BOT),
    "ledger_unavailable": Event("ERROR", "the bot's ledger cannot be used now: tried again", _BOT),
    "orphan_killed": Event(
        "WARNING", "a process of a dead supervisor held the bot's ledger", _PROCESS
    ),
    # The life of a bot, by the supervisor.
    "process_started": Event("INFO", "a process that trades was started", _PROCESS),
    "bot_stop_asked": Event("WARNING", "an operator stops the bot: execsvc stop", _BOT),
    "bot_abandon_asked": Event("WARNING", "an operator abandons the bot's position", _BOT),
    "bot_start_told": Event("INFO", "BotService knows that the bot ticks", _BOT),
    "bot_stop_told": Event("INFO", "BotService knows that the bot is flat", _BOT),
    "bot_word_failed": Event("WARNING", "BotService was not told of a start or a stop", _BOT),
    "process_killed": Event("ERROR", "a process took too long and is killed", _PROCESS),
    "bot_restarted": Event("INFO", "a process that trades was started after a crash", _PROCESS),
    "bot_liquidating": Event("INFO", "a process that only sells was started", _PROCESS),
    "bot_stopped": Event("INFO", "the bot is STOPPED", _BOT),
    "bot_crashed": Event("ERROR", "the bot's process ended without being asked to", _PROCESS),
    "bot_failed": Event("ERROR", "the bot is FAILED", _BOT),
    "bot_held": Event("WARNING", "the bot is HELD", _BOT),
    "held_not_written": Event("CRITICAL", "a restart will not know which bots are HELD", _BOT),
    "bot_unlisted": Event("INFO", "a running bot is not listed any more", _BOT),
    "bot_changed": Event("INFO", "the bot's row changed, its process is replaced", _BOT),
    "bot_change_refused": Event("WARNING", "the bot's changed row is refused, it runs on", _BOT),
    "row_noted": Event("WARNING", "a value of the bot's row may be a mistake", _BOT),
    "bot_invalid": Event("WARNING", "the bot is INVALID", _BOT),
    # Listings.
    "listing_failed": Event("WARNING", "BotService could not be listed"),
    "listing_recovered": Event("INFO", "BotService could be listed again"),
    "rows_wait_in_vain": Event(
        "WARNING", "rows are BOOTING or STOPPING, and EXECSVC_BOT_LIFECYCLE is false"
    ),
    "listing_may_be_cut": Event(
        "WARNING", "exactly 100 rows came without paging: there may be more"
    ),
    "rows_without_id": Event("WARNING", "listed rows have no usable id: they are no bots"),
    "mass_stop_held_back": Event("CRITICAL", "a listing lacks most bots, none is stopped yet"),
    "account_crowded": Event("WARNING", "more bots on one account than a stop has time for"),
    "accounts_not_locked": Event("WARNING", "another service on an account is not detected"),
    "account_banned": Event(
        "WARNING", "the exchange bans the adapter: only exits are tried", ("key_id",)
    ),
    # Alerts.
    "alert_sent": Event("INFO", "an address took an alert", ("target",)),
    "alert_failed": Event("ERROR", "an alert could not be sent, or never can be"),
    "alert_dropped": Event("WARNING", "too many alerts wait, one is dropped"),
    "alerts_forgotten": Event("WARNING", "the alerts sent cannot be read: they may be sent again"),
    "alerts_not_written": Event("WARNING", "the alerts sent cannot be recorded"),
    "report_failed": Event("ERROR", "BotService does not take a report; it is tried again"),
    "report_recovered": Event("INFO", "reports go through again"),
    "reports_off": Event("INFO", "BotService takes no reports: none until the next start"),
    "reports_unreadable": Event("WARNING", "a line of the reports process cannot be read"),
    # The service.
    "trading_halted": Event("CRITICAL", "every bot is stopped, none is started: execsvc halt"),
    "trading_resumed": Event("WARNING", "the end of a halt: execsvc resume"),
    "halt_not_written": Event("CRITICAL", "a halt that would not survive a restart"),
    "halt_restored": Event("WARNING", "a halt whose file was missing is written again"),
    "held_unreadable": Event(
        "CRITICAL", "the record of held bots cannot be read: every known bot is HELD"
    ),
    "control_lost": Event("CRITICAL", "no command arrives: the control socket cannot be made"),
    "control_renewed": Event("WARNING", "the control socket was taken away and is made again"),
    "service_started": Event("INFO", "the service is up, and answers"),
    "service_stopping": Event("INFO", "the service was told to stop"),
    "service_hurried": Event("WARNING", "the service was told to stop a second time"),
    "service_out_of_time": Event(
        "ERROR", "the time to stop is over: processes that still run are killed"
    ),
    "position_held": Event(
        "INFO", "a position at the service's end: held, as asked", ("bot_id", "tracked")
    ),
    "position_left": Event(
        "CRITICAL",
        "a position at the service's end: open, and should not be",
        ("bot_id", "tracked"),
    ),
    "service_stopped": Event("INFO", "the end of the service, with the exit code"),
    "service_failed": Event("CRITICAL", "a fault of the service itself; with the traceback"),
    "settings_warning": Event("WARNING", "settings that do not fit together"),
    "store_unreachable": Event("WARNING", "the database of several hosts cannot be reached"),
    "store_connection_lost": Event(
        "WARNING", "a connection to the database of several hosts is lost"
    ),
    "store_request_refused": Event(
        "WARNING", "a process of this host sent the store a garbled request"
    ),
    "state_moved": Event("WARNING", "the state directory was last used on another machine"),
    "settings_read": Event("INFO", "HUP: the settings were read again"),
    "settings_late": Event("WARNING", "HUP: settings that only a restart changes"),
    "settings_refused": Event("ERROR", "HUP: settings are refused, the old ones are kept"),
    "status_shown": Event("INFO", "USR1: the service, then a line a bot"),
    "loop_stalled": Event("WARNING", "the supervisor's loop stalled; deadlines are extended"),
    "child_hung": Event("ERROR", "the listing, HTTP or alerts process hangs: replaced"),
    "child_restarted": Event(
        "WARNING", "the listing, HTTP or alerts process died and is restarted"
    ),
    "host_joined": Event("INFO", "this host has a lease in the store that hosts share"),
    "lease_lost": Event("CRITICAL", "this host has no lease: no order is sent, positions are kept"),
    "host_taken_over": Event("WARNING", "another host is dead: its accounts can be claimed"),
    "process_failed": Event("CRITICAL", "a process met a fault of the program; with the traceback"),
    "request_failed": Event(
        "ERROR", "an HTTP request met a fault of the program; with the traceback"
    ),
    "rehearsal_failed": Event("DEBUG", "the rehearsal failed: bots share less memory"),
    "fork_failed": Event("ERROR", "a process could not be forked; BOT_ID if for a bot"),
    "stray_killed": Event("WARNING", "a process that a strategy left behind was killed"),
    "stray_left": Event("WARNING", "a process that a strategy left is another user's: it runs on"),
    "subreaper_missing": Event(
        "WARNING", "this kernel cannot find processes that a strategy leaves"
    ),
    "ballast_missing": Event("WARNING", "no space could be reserved for a full disk"),
    "disk_full": Event("CRITICAL", "the disk is full: sells are recorded in the reserved space"),
    "lines_left_out": Event("WARNING", "records of the log are left out: no reader took them"),
}
