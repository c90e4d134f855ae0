"""Every metric that ``/metrics`` shows: page, dashboard and alert rules use these and no others."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """A name as it is written in PromQL, but for the ``_bucket`` of a histogram."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    labels: tuple[str, ...] = ()


SERVICE = {
    "started": Metric(
        "execsvc_start_time_seconds", "gauge", "Start of the supervisor, in seconds since 1970."
    ),
    "stopping": Metric("execsvc_stopping", "gauge", "1 while the service stops."),
    "halted": Metric("execsvc_halted", "gauge", "1 while trading is halted."),
    "degraded": Metric("execsvc_degraded", "gauge", "1 while /health has a reason to be degraded."),
    "listing_age": Metric(
        "execsvc_listing_age_seconds", "gauge", "Time since the last good listing."
    ),
    "listing_interval": Metric(
        "execsvc_listing_interval_seconds", "gauge", "Time between two listings, as configured."
    ),
    "mass_stop": Metric(
        "execsvc_mass_stop_bots",
        "gauge",
        "Bots that are missing from the listing and whose stop is held back.",
    ),
}
"""The metrics, by the supervisor's name for each; so are the others."""
BUILD = Metric("execsvc_build_info", "gauge", "1, with the version.", ("version",))
STATES = Metric("execsvc_bots", "gauge", "Bots in each state.", ("state",))
CONDITIONS = Metric(
    "execsvc_conditions",
    "gauge",
    "Conditions that alerts are sent for, as alerts name them.",
    ("kind",),
)
GUARDS = Metric("execsvc_guards_tripped", "gauge", "Bots on which a guard is tripped.", ("guard",))
COUNTERS = {
    "ticks": Metric(
        "execsvc_ticks_total",
        "counter",
        "Ticks: ok, skipped for a read or an order that failed, failed with an exception.",
        ("result",),
    ),
    "read_errors": Metric(
        "execsvc_read_errors_total",
        "counter",
        "Reads of the adapter that gave no usable answer after all attempts.",
        ("call",),
    ),
    "orders": Metric(
        "execsvc_orders_total",
        "counter",
        "Orders, each once, when its outcome is booked.",
        ("mode", "side", "outcome"),
    ),
    "orders_unknown": Metric(
        "execsvc_orders_unknown_total",
        "counter",
        "Orders without an answer that tells their outcome; they are counted again once settled.",
        ("side",),
    ),
    "settlements": Metric(
        "execsvc_settlements_total",
        "counter",
        "Orders of unknown outcome that were decided.",
        ("outcome",),
    ),
    "liquidation_attempts": Metric(
        "execsvc_liquidation_attempts_total", "counter", "Attempts to sell an open position."
    ),
    "liquidations": Metric(
        "execsvc_liquidations_total",
        "counter",
        "Liquidations of an open position: closed, or failed after all attempts.",
        ("result",),
    ),
    "report_drops": Metric(
        "execsvc_report_drops_total",
        "counter",
        "Reports of bots that found the pipe to the supervisor full.",
    ),
    "restarts": Metric(
        "execsvc_restarts_total", "counter", "Processes of bots that were restarted after a crash."
    ),
    "listings": Metric("execsvc_listings_total", "counter", "Good listings."),
    "listing_failures": Metric(
        "execsvc_listing_failures_total", "counter", "Listings that failed."
    ),
}
HISTOGRAMS = {
    "tick_seconds": Metric("execsvc_tick_duration_seconds", "histogram", "Duration of a tick."),
    "loop_late": Metric(
        "execsvc_loop_late_seconds",
        "histogram",
        "Delay of a turn of the supervisor's loop.",
    ),
    "loop_busy": Metric(
        "execsvc_loop_busy_seconds",
        "histogram",
        "Work of one turn of the supervisor's loop, without its wait.",
    ),
}
BOTS = {
    "listed": Metric(
        "execsvc_bot_info",
        "gauge",
        "1 for each bot.",
        ("bot_id", "name", "strategy", "symbol", "mode"),
    ),
    "current": Metric(
        "execsvc_bot_state", "gauge", "1 for the state that the bot is in.", ("bot_id", "state")
    ),
    "last_tick": Metric(
        "execsvc_bot_last_tick_timestamp_seconds",
        "gauge",
        "Last tick of the bot, in seconds since 1970.",
        ("bot_id",),
    ),
    "tracked": Metric(
        "execsvc_bot_tracked_base",
        "gauge",
        "Position of the bot, in base.",
        ("bot_id", "symbol"),
    ),
    "sold_short": Metric(
        "execsvc_bot_sold_short_base",
        "gauge",
        "Base of the user that the bot sold and is to buy back.",
        ("bot_id", "symbol"),
    ),
    "entry_value": Metric(
        "execsvc_bot_entry_value_quote",
        "gauge",
        "The open position at its entry price, in quote.",
        ("bot_id", "symbol"),
    ),
    "realised": Metric(
        "execsvc_bot_realised_quote",
        "gauge",
        "Realised result, in quote.",
        ("bot_id", "currency"),
    ),
    "today": Metric(
        "execsvc_bot_realised_today_quote",
        "gauge",
        "Realised result of this UTC day, in quote.",
        ("bot_id", "currency"),
    ),
    "contested": Metric(
        "execsvc_bot_contested_orders",
        "gauge",
        "Orders that wait for an operator's decision, execsvc settle.",
        ("bot_id",),
    ),
    "failing": Metric(
        "execsvc_bot_liquidation_failing",
        "gauge",
        "1 while an attempt to liquidate has failed and the position is open.",
        ("bot_id",),
    ),
}
METRICS = (
    BUILD,
    *SERVICE.values(),
    STATES,
    CONDITIONS,
    GUARDS,
    *COUNTERS.values(),
    *HISTOGRAMS.values(),
    *BOTS.values(),
)
