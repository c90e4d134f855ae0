"""The rules by which several hosts share accounts: pure decisions, without I/O and without a clock.

One PostgreSQL holds the truth. The worker ``lease`` of each host runs this loop, in this order:

1. :class:`~execsvc.hosts.membership.Membership` begins with ``Membership.begin``; ``join_steps`` of
   :mod:`~execsvc.hosts.takeover` are the statements by which a host gets an epoch, and
   ``joined`` notes it.
2. Read CLOCK_BOOTTIME, send the beat, read CLOCK_BOOTTIME again when its answer is there
   (:class:`~execsvc.hosts.rows.BeatAnswer`: the database's clock, its timeline, all rows).
3. ``membership = membership.answered(answer, sent, received)`` updates four parts:

   :mod:`~execsvc.hosts.lease`
       the deadline of this host, counted from *sending* its last beat that succeeded
   :mod:`~execsvc.hosts.peers`
       the time for which this host has itself seen each other host's beat unchanged
   :mod:`~execsvc.hosts.settling`
       the time for which this host has itself seen each open intent unchanged
   :mod:`~execsvc.hosts.timeline`
       the freeze after each failover of the database
4. Publish ``membership.permit()``, the deadline and the fences, in the memory that runners read.
5. ``membership, plan = membership.decided(now, wanted, busy)``; publish ``permit()`` again (what is
   about to be released is not in it any more), then execute the plan's statements in order:
   :mod:`~execsvc.hosts.takeover` (expire, terminate, close) and
   :mod:`~execsvc.hosts.placement` (claim, release). A statement that is refused or not answered
   ends the group that it is in; the next beat's rows say how far it came.
6. A state LOST ends the runners; the host joins again with a new incarnation.

A runner asks ``Permit.may_begin`` before it commits an intent and ``Permit.may_send`` between the
commit and the request. Each fenced write is checked in its statement as well: owner, epoch, fence,
``expires_at`` and the acknowledged timeline.

All moments are CLOCK_BOOTTIME of this host in seconds; wall clocks of hosts are not used at all.
The database's clock is compared with the database's own records only.

Not closed by these rules:

* a pause of a host between the check and the request that, together with the time until the
  execution shows in a balance, is ``Timing.longest_pause`` or longer;
* two primaries of PostgreSQL that both take writes: a failover has to end the former one.
"""
