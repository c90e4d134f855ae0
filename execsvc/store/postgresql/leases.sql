-- Leases of hosts and claims on accounts; times are the database's own. Run after functions.sql.
SET search_path = execsvc;

-- Begin the lease of a host, under the terms that all hosts have (seconds). previous: the run of the service before this
-- one, by the records of the same machine. Returns the epoch of the lease.
CREATE OR REPLACE FUNCTION enlist(
    host text, run text, previous text, version integer, timeout double precision, settling double precision,
    lease double precision
) RETURNS bigint
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    terms cluster%ROWTYPE;
    given bigint;
BEGIN
    SELECT * INTO STRICT terms FROM cluster WHERE id = 1 FOR UPDATE;
    IF terms.schema_version <> version THEN
        RAISE EXCEPTION 'the tables in the database have version %, this host needs %', terms.schema_version, version
            USING ERRCODE = 'EX003';
    END IF;
    IF (terms.order_timeout, terms.settlement_window, terms.ttl) IS DISTINCT FROM (timeout, settling, lease) THEN
        -- The terms of orders on their way, and of hosts that watch each other, stay as they were.
        IF terms.ttl IS NOT NULL AND (
            EXISTS (SELECT FROM host WHERE host_id <> enlist.host AND expires_at > clock_timestamp())
            OR EXISTS (SELECT FROM account_intent WHERE state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING'))
        ) THEN
            RAISE EXCEPTION 'the hosts have ORDER_TIMEOUT % s, SETTLEMENT_WINDOW % s and TTL % s, this one % s, % s and % s',
                terms.order_timeout, terms.settlement_window, terms.ttl, timeout, settling, lease
                USING ERRCODE = 'EX001';
        END IF;
        UPDATE cluster SET order_timeout = timeout, settlement_window = settling, ttl = lease WHERE id = 1;
    END IF;
    IF EXISTS (SELECT FROM host WHERE host_id = enlist.host AND incarnation NOT IN (run, previous)
               AND expires_at > clock_timestamp()) THEN
        RAISE EXCEPTION 'another service that lives has the host name %', host USING ERRCODE = 'EX002';
    END IF;
    INSERT INTO host VALUES
        (host, run, 1, 0, clock_timestamp(), clock_timestamp() + make_interval(secs => lease), '{}', false)
    ON CONFLICT (host_id) DO UPDATE SET incarnation = excluded.incarnation, epoch = host.epoch + 1,
        beat = host.beat + 1, beat_at = excluded.beat_at, expires_at = excluded.expires_at, backend_pids = '{}',
        draining = false
    RETURNING epoch INTO given;
    RETURN given;
END
$$;

-- Prolong the lease of a host; refused once a peer has ended the lease. JSON of what a host is to know in either case:
-- accepted, now (ISO 8601), system (of this PostgreSQL), timeline, lsn (bytes), terms, hosts, accounts. Ages are seconds.
CREATE OR REPLACE FUNCTION beat(host text, run text, held bigint, pids integer[]) RETURNS json
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    accepted boolean;
    now_here timestamptz;
    lease interval;
BEGIN
    SELECT make_interval(secs => ttl) INTO STRICT lease FROM cluster WHERE id = 1;
    UPDATE host SET beat = beat + 1, beat_at = clock_timestamp(), expires_at = clock_timestamp() + lease,
        backend_pids = pids
        WHERE host_id = beat.host AND incarnation = run AND epoch = held;
    accepted := FOUND;
    now_here := clock_timestamp();
    RETURN json_build_object(
        'accepted', accepted,
        'now', to_char(now_here AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'system', (SELECT system_identifier::text FROM pg_control_system()),
        'timeline', ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint,
        'lsn', pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint,
        'terms', (SELECT json_build_array(order_timeout, settlement_window, ttl) FROM cluster),
        'hosts', (SELECT coalesce(json_agg(json_build_object(
            'host_id', host_id, 'incarnation', incarnation, 'epoch', epoch, 'beat', beat,
            'age', extract(epoch FROM now_here - beat_at)::double precision,
            'expired', expires_at <= now_here, 'draining', draining) ORDER BY host_id), '[]') FROM host),
        'accounts', (SELECT coalesce(json_agg(json_build_object(
            'key_id', a.key_id, 'owner', a.owner, 'epoch', a.owner_epoch, 'fence', a.fence,
            'open', EXISTS (SELECT FROM account_intent i WHERE i.owner = a.key_id
                AND i.state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING'))) ORDER BY a.key_id), '[]') FROM account a)
    );
END
$$;

-- End the lease of a host whose time is up, if its epoch is still the expected one. Returns the new epoch; NULL: the
-- lease is another one, or has not expired.
CREATE OR REPLACE FUNCTION bump(peer text, expected bigint) RETURNS bigint
LANGUAGE sql AS $$
    UPDATE host SET epoch = epoch + 1, expires_at = '-infinity'
    WHERE host_id = peer AND epoch = expected AND expires_at <= clock_timestamp()
    RETURNING epoch
$$;

-- End the connections of a host whose lease was ended (bump), by the name that they show. Returns the count of those that
-- are still there after so many milliseconds: 0 before anything of that host may be claimed.
CREATE OR REPLACE FUNCTION terminate(peer text, ended bigint, milliseconds bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    run text;
    backend integer;
BEGIN
    SELECT incarnation INTO run FROM host
        WHERE host_id = peer AND epoch = ended AND expires_at <= clock_timestamp();
    IF run IS NULL THEN
        RETURN 0;
    END IF;
    FOR backend IN SELECT pid FROM pg_stat_activity WHERE application_name = 'execsvc ' || run LOOP
        PERFORM pg_terminate_backend(backend, milliseconds);
    END LOOP;
    PERFORM pg_stat_clear_snapshot();
    RETURN (SELECT count(*) FROM pg_stat_activity WHERE application_name = 'execsvc ' || run);
END
$$;

-- Claim an account that is new, released, or of a host whose lease was ended. Returns the number of the claim; that of
-- before when the claim is the host's own; NULL: refused. Waits for the end of writes under the old claim.
CREATE OR REPLACE FUNCTION claim(key text, host text, run text, held bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    before account%ROWTYPE;
    given bigint;
BEGIN
    PERFORM FROM host
        WHERE host_id = claim.host AND incarnation = run AND epoch = held AND expires_at > clock_timestamp()
        FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    INSERT INTO account VALUES (key, NULL, NULL, 0) ON CONFLICT DO NOTHING;
    SELECT * INTO before FROM account WHERE key_id = key FOR UPDATE;
    IF before.owner = claim.host AND before.owner_epoch = held THEN
        RETURN before.fence;
    END IF;
    IF before.owner IS NOT NULL AND EXISTS (
        SELECT FROM host WHERE host_id = before.owner AND epoch = before.owner_epoch
    ) THEN
        RETURN NULL;
    END IF;
    UPDATE account SET owner = claim.host, owner_epoch = held, fence = fence + 1
        WHERE key_id = key RETURNING fence INTO given;
    RETURN given;
END
$$;

-- Give up a claim; nothing is written under its number from then on. False: the claim is another one.
CREATE OR REPLACE FUNCTION release(key text, host text, number bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM account WHERE key_id = key FOR UPDATE;
    UPDATE account SET owner = NULL, owner_epoch = NULL
        WHERE key_id = key AND owner = release.host AND fence = number;
    RETURN FOUND;
END
$$;

-- Say that a host hands over its accounts, or does not any more. False: no such lease.
CREATE OR REPLACE FUNCTION drain(host text, run text, held bigint, wanted boolean) RETURNS boolean
LANGUAGE sql AS $$
    WITH changed AS (
        UPDATE host SET draining = wanted
        WHERE host_id = drain.host AND incarnation = run AND epoch = held
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM changed)
$$;

-- End a host's own lease: its accounts that were not released can be claimed at once. False: no such lease.
CREATE OR REPLACE FUNCTION leave(host text, run text, held bigint) RETURNS boolean
LANGUAGE sql AS $$
    WITH ended AS (
        UPDATE host SET epoch = epoch + 1, expires_at = '-infinity', backend_pids = '{}'
        WHERE host_id = leave.host AND incarnation = run AND epoch = held
        RETURNING 1
    )
    SELECT EXISTS (SELECT FROM ended)
$$;

-- Seconds since the intent was recorded, by the database's clock, of each open order of an account: at most one.
CREATE OR REPLACE FUNCTION open_intents(key text) RETURNS TABLE (client_order_id text, age double precision)
LANGUAGE sql AS $$
    SELECT client_order_id, extract(epoch FROM clock_timestamp() - recorded_at)::double precision
    FROM account_intent WHERE owner = key AND state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING')
$$;
