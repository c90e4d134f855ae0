"""The supervisor: one thread, one selector, and every other process is its child."""

from __future__ import annotations

import selectors
import signal
from collections.abc import Callable
from contextlib import suppress

from loguru import logger

from execsvc import logs
from execsvc.clients.bot_service import Listing
from execsvc.errors import ConfigRefused, LedgerFailed
from execsvc.settings import Settings, merged, runtime_directory, state_directory
from execsvc.store.opening import open_store
from execsvc.supervisor import alert_dispatch, hosts, shutdown, systemd_updates
from execsvc.supervisor.bots import halting, spare
from execsvc.supervisor.bots.bots import Bots
from execsvc.supervisor.bots.fleet import Fleet, Runner
from execsvc.supervisor.bots.halting import Halting
from execsvc.supervisor.bots.launch import Launcher
from execsvc.supervisor.bots.next_step import ServiceMode
from execsvc.supervisor.bots.records import Ledgers, Records
from execsvc.supervisor.bots.spare import Spare
from execsvc.supervisor.control import server, single_instance
from execsvc.supervisor.control.http_process import Server, http_channel
from execsvc.supervisor.control.listener import ControlListener
from execsvc.supervisor.control.requests import Requests
from execsvc.supervisor.hosts import HostWorkers
from execsvc.supervisor.last_steps import end_workers
from execsvc.supervisor.listing.reconciler import ListingReconciler
from execsvc.supervisor.listing.source import ListingSource
from execsvc.supervisor.machine import check_machine
from execsvc.supervisor.processes import parent
from execsvc.supervisor.processes.context import ProcessContext
from execsvc.supervisor.processes.shared_heap import share_heap
from execsvc.supervisor.report_requests import ReportRequests
from execsvc.supervisor.shutdown import Shutdown
from execsvc.supervisor.signals import Signals
from execsvc.supervisor.systemd_updates import SystemdUpdates

DRAIN = 0.1
"""Seconds between two reads of the report pipes, at least."""
_MAINTENANCE = "\0maintenance"
_MAINTENANCE_INTERVAL = 10.0


class Supervisor:
    """Owns the state directory from its construction on, and runs until it is told to stop.

    ``run`` is the work of a runner, ``serve`` that of the control plane, each in a process of
    its own. ``reload`` reads the settings again. Raises Taken, ConfigRefused, LedgerFailed.
    """

    def __init__(
        self,
        settings: Settings,
        run: Runner,
        serve: Server,
        ledgers: Ledgers,
        reload: Callable[[], Settings],
    ) -> None:
        state_directory(settings.state_dir)
        runtime_directory(settings.runtime_dir)
        store = open_store(settings)
        single_instance.claim(store)
        store.keep_room()
        self._listener = single_instance.listen_http(settings.http_bind)
        control_listener = ControlListener(settings.runtime_dir)
        context = self._context = ProcessContext(settings)
        fleet = self._fleet = Fleet()
        self._reload = reload
        self._signals = Signals()
        self._selector = selectors.EpollSelector()
        self._hosts = HostWorkers(context, self._selector)
        self._hosts.start()
        records = self._records = Records(store, ledgers)
        bots = self._bots = Bots(context, records, fleet)
        self._spare = Spare(context, run)
        self._launcher = Launcher(context, records, fleet, bots, run, self._spare)
        self._halting = Halting(context, records, bots)
        self._listings = ListingSource(context, fleet.totals, self._selector, self._take_listing)
        self._reconciler = ListingReconciler(settings, bots, self._listings.confirm)
        self._http = http_channel(context, self._selector, self._listener, serve)
        self._reporting = ReportRequests(
            context, records, fleet, bots, self._selector, self._reconciler.row_stopped
        )
        self._requests = Requests(
            context,
            fleet,
            bots,
            self._halting,
            self._listings,
            self._reconciler,
            self._reporting,
            self._hosts,
        )
        self._shutdown = Shutdown(context, records, fleet, bots)
        self._updates = SystemdUpdates(context, fleet, self._shutdown, self._requests.summary)
        self._alerts = alert_dispatch.AlertDispatch(
            context, store, self._selector, self._requests.facts
        )
        self._channels = (
            self._listings.channel,
            self._http,
            self._reporting.channel,
            self._alerts.channel,
            self._hosts.lease,
            self._hosts.store,
        )
        self._control = server.ControlServer(
            control_listener,
            self._selector,
            self._context.clock,
            self._context.timers,
            self._requests.answer,
        )
        self._reports_wait = False
        self._drain_after = 0.0

    @property
    def port(self) -> int:
        """The port of the HTTP server, also when the settings let the kernel choose it."""
        port: int = self._listener.getsockname()[1]
        return port

    def close_lifeline(self) -> None:
        """Let every child know that this process is about to be gone."""
        self._context.children.close_lifeline()

    def run(self) -> int:
        """Run until told to stop. Returns the exit code of the service."""
        self._fleet.recent.listen()
        parent.prepare()
        self._signals.listen()
        self._selector.register(self._signals, selectors.EVENT_READ, self._signalled)
        self._selector.register(self._fleet.reports, selectors.EVENT_READ, self._note_reports)
        share_heap()
        self._http.start()
        self._listings.channel.start()
        self._reporting.start()
        self._alerts.start()
        self._spare.renew()
        self._halting.log()
        check_machine(self._records.store)
        self._bots.recover()
        if self._hosts.on:
            self._hosts.attach(self._bots, self._fleet, self._records.accounts)
        self._halting.check()
        self._context.timers.ask(_MAINTENANCE, self._context.clock.now + _MAINTENANCE_INTERVAL)
        logger.bind(event="service_started").info(
            "started, HTTP at {}:{}", self._context.settings.http_bind.host, self.port
        )
        self._updates.ready()
        self._context.clock.start()
        while not self._shutdown.over():
            self._turn()
        code = self._shutdown.conclude()
        left = self._shutdown.left
        self._spare.stop()
        end_workers(self._context, self._turn, self._reporting, self._alerts, self._http, left)
        self._hosts.end(self._turn)
        self._control.close()
        logger.bind(event="service_stopped").info("stopped, exit code {}", code)
        return code

    def _turn(self) -> None:
        """Wait for the next event or timer, and act on it."""
        clock, timers = self._context.clock, self._context.timers
        more = self._launcher.launch()
        wait = 0.0 if more else max(self._next_moment() - clock.now, 0.0)
        clock.plan(wait)
        events = self._selector.select(wait)
        clock.wake()
        if clock.gap:
            logger.bind(event="loop_stalled").warning("stood still for {:.1f} s", clock.gap)
        for ready, _ in events:
            ready.data()
        # The reports of a process are read just before it is judged by its silence.
        due = timers.next() <= clock.now
        if due or (self._reports_wait and clock.now >= self._drain_after):
            self._drain()
        if due:
            for key in timers.due(clock.now):
                self._due(key)
        self._reporting.pass_on()

    def _next_moment(self) -> float:
        moment = self._context.timers.next()
        return min(moment, self._drain_after) if self._reports_wait else moment

    def _due(self, key: str) -> None:
        special: dict[str, Callable[[], None]] = {
            **{channel.key: channel.due for channel in self._channels},
            alert_dispatch.CHECK_KEY: self._alerts.check,
            server.KEY: self._control.due,
            server.PATH_KEY: self._control.check_path,
            halting.KEY: self._halting.check,
            hosts.KEY: self._hosts.due,
            shutdown.KEY: self._shutdown.due,
            spare.KEY: self._spare.renew,
            _MAINTENANCE: self._maintain,
            systemd_updates.KEY: self._updates.due,
        }
        act = special.get(key)
        if act is not None:
            act()
        else:
            self._bots.due(key)

    def _note_reports(self) -> None:
        """Note that reports wait, and ignore the pipes until they may be read again."""
        self._selector.unregister(self._fleet.reports)
        self._reports_wait = True

    def _drain(self) -> None:
        self._bots.read_reports()
        self._drain_after = self._context.clock.now + DRAIN
        if self._reports_wait:
            self._selector.register(self._fleet.reports, selectors.EVENT_READ, self._note_reports)
            self._reports_wait = False

    def _take_listing(self, listing: Listing, unchanged: bool, began: float) -> None:
        if not self._shutdown.begun:
            self._reporting.listed(*self._reconciler.take(listing, unchanged, began))
            self._hosts.want()

    def _signalled(self) -> None:
        for signum in dict.fromkeys(self._signals.take()):
            if signum == signal.SIGCHLD:
                self._reap()
            elif signum in (signal.SIGTERM, signal.SIGINT):
                holds = self._context.settings.holds_when_stopped
                self._stop(ServiceMode.KEEP if holds else ServiceMode.LIQUIDATE, signum)
            elif signum == signal.SIGUSR2:
                self._stop(ServiceMode.KEEP, signum)
            elif signum == signal.SIGUSR1:
                self._requests.log_status()
            elif signum == signal.SIGHUP and not self._shutdown.begun:
                self._read_settings()

    def _reap(self) -> None:
        for child, code in self._context.children.reap():
            any(
                part.died(child, code)
                for part in (
                    self._bots,
                    *self._channels,
                    self._spare,
                )
            )
        self._spare.renew()  # before another fork takes the place of a process that ended

    def _stop(self, service: ServiceMode, signum: int) -> None:
        if self._shutdown.begun and signum == signal.SIGUSR2:
            return  # a close under way does not become a hold, and this does not shorten the stop
        if self._shutdown.begin(service, signal.Signals(signum).name):
            self._listings.channel.stop()
            self._updates.stopping()

    def _read_settings(self) -> None:
        """Take the settings that may change in flight; a change replaces the children that use them."""
        try:
            settings, late = merged(self._context.settings, self._reload())
        except ConfigRefused as refused:
            logger.bind(event="settings_refused").error("settings are kept: {}", refused)
            self._listings.poll()
            return
        if late:
            logger.bind(event="settings_late").warning("only a restart changes {}", ", ".join(late))
        changed = settings != self._context.settings
        self._context.settings = settings
        logs.setup(settings.log_level, settings.log_format)
        self._fleet.recent.listen()
        logger.bind(event="settings_read").info("settings read{}", "" if changed else ", no change")
        if changed:
            self._listings.channel.replace()
            self._reporting.channel.replace()
        else:
            self._listings.poll()

    def _maintain(self) -> None:
        """Do the work that no event starts: lost deaths, unreadable ledgers, room, claims."""
        self._reap()
        self._bots.reread_ledgers()
        self._hosts.want()
        self._context.children.probe()
        self._records.store.keep_room()
        self._records.accounts.keep_only(
            {key_id for bot in self._fleet.bots.values() for key_id in bot.accounts}
        )
        with suppress(LedgerFailed):  # logged when it was decided; the next turn tries again
            self._records.held.write_again()
        self._context.timers.ask(_MAINTENANCE, self._context.clock.now + _MAINTENANCE_INTERVAL)
