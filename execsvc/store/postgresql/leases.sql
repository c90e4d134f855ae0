-- Leases of hosts and claims on accounts; times are the database's own. Run after functions.sql. Each function but beat
-- is refused (false) when the database does not write on the given timeline, or, from expire_host on, when that timeline
-- is not the acknowledged one.
SET search_path = execsvc;

-- Take the times (seconds) that all hosts have to agree on. Raises EX001 when hosts that live, or orders on their way,
-- have others, EX002 for tables of another version.
CREATE OR REPLACE FUNCTION agree(
    own text, version integer, timeout double precision, settling double precision, lease double precision
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    terms cluster%ROWTYPE;
BEGIN
    SELECT * INTO STRICT terms FROM cluster WHERE id = 1 FOR UPDATE;
    IF terms.schema_version <> version THEN
        RAISE EXCEPTION 'the tables in the database have version %, this host needs %', terms.schema_version, version
            USING ERRCODE = 'EX002';
    END IF;
    IF (terms.order_timeout, terms.settlement_window, terms.ttl) IS NOT DISTINCT FROM (timeout, settling, lease) THEN
        RETURN;
    END IF;
    IF terms.ttl IS NOT NULL AND (
        EXISTS (SELECT FROM host WHERE host_id <> own AND expires_at > clock_timestamp())
        OR EXISTS (SELECT FROM account_intent WHERE state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING'))
    ) THEN
        RAISE EXCEPTION 'the hosts have ORDER_TIMEOUT % s, SETTLEMENT_WINDOW % s and TTL % s, this one % s, % s and % s',
            terms.order_timeout, terms.settlement_window, terms.ttl, timeout, settling, lease
            USING ERRCODE = 'EX001';
    END IF;
    UPDATE cluster SET order_timeout = timeout, settlement_window = settling, ttl = lease WHERE id = 1;
END
$$;

-- Prolong the lease of a host, with the backend pids of its connections; without a host only read. JSON of what a host is
-- to know in either case.
CREATE OR REPLACE FUNCTION beat(own text, run text, held bigint, pids integer[]) RETURNS json
LANGUAGE plpgsql AS $$
DECLARE
    accepted boolean;
    lease interval;
BEGIN
    SELECT make_interval(secs => ttl) INTO STRICT lease FROM cluster WHERE id = 1;
    UPDATE host SET beat = host.beat + 1, beat_at = clock_timestamp(), expires_at = clock_timestamp() + lease,
        backend_pids = pids
        WHERE host_id = own AND incarnation = run AND epoch = held AND NOT closing;
    accepted := FOUND;
    RETURN json_build_object(
        'accepted', accepted,
        'now', extract(epoch FROM clock_timestamp())::double precision,
        'timeline', timeline(),
        'acknowledged', (SELECT acknowledged FROM cluster),
        'lsn', pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint,
        'hosts', (SELECT coalesce(json_agg(json_build_array(
                host_id, incarnation, host.epoch, closing, host.beat,
                extract(epoch FROM greatest(expires_at, '2000-01-01Z'))::double precision,
                backend_pids, draining) ORDER BY host_id), '[]') FROM host),
        'accounts', (SELECT coalesce(json_agg(json_build_array(
                key_id, owner, coalesce(owner_epoch, 0), fence) ORDER BY key_id), '[]') FROM account),
        'intents', (SELECT coalesce(json_agg(json_build_array(
                owner, client_order_id, state, extract(epoch FROM recorded_at)::double precision) ORDER BY owner), '[]')
            FROM account_intent WHERE state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING'))
    );
END
$$;

-- True when the database writes on the timeline, and that is the acknowledged one.
CREATE OR REPLACE FUNCTION trusted(line bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT timeline() = line AND EXISTS (SELECT FROM cluster WHERE acknowledged = line)
$$;

-- Trust the timeline from now on, if former is still the trusted one; 0 trusts none.
CREATE OR REPLACE FUNCTION acknowledge_timeline(line bigint, trusted bigint, former bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE cluster SET acknowledged = trusted WHERE id = 1 AND acknowledged = former AND timeline() = line;
    RETURN FOUND;
END
$$;

-- End the epoch of a host that has expired and whose row is as given; nothing may be claimed before close_epoch.
CREATE OR REPLACE FUNCTION expire_host(line bigint, peer text, run text, held bigint, last bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE host SET epoch = epoch + 1, closing = true, expires_at = '-infinity'
        WHERE host_id = peer AND incarnation = run AND epoch = held AND beat = last AND NOT closing
            AND expires_at <= clock_timestamp() AND trusted(line);
    RETURN FOUND;
END
$$;

-- End the connections of a host whose epoch is being closed, by the name that they show and but for this one. Returns the
-- count of those that are still there after so many milliseconds each: 0 before its epoch may be closed.
CREATE OR REPLACE FUNCTION terminate_backends(line bigint, peer text, milliseconds bigint) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    shown text := connection_name(peer);
    backend integer;
BEGIN
    IF timeline() <> line OR NOT EXISTS (SELECT FROM host WHERE host_id = peer AND closing) THEN
        RETURN -1;
    END IF;
    FOR backend IN SELECT pid FROM pg_stat_activity WHERE application_name = shown AND pid <> pg_backend_pid() LOOP
        PERFORM pg_terminate_backend(backend, milliseconds);
    END LOOP;
    PERFORM pg_stat_clear_snapshot();
    RETURN (SELECT count(*) FROM pg_stat_activity WHERE application_name = shown AND pid <> pg_backend_pid());
END
$$;

-- The name that the connections of a host show.
CREATE OR REPLACE FUNCTION connection_name(peer text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT 'execsvc ' || left(encode(sha256(convert_to(peer, 'UTF8')), 'hex'), 32)
$$;

-- The second step of the end of an epoch, after its connections have ended.
CREATE OR REPLACE FUNCTION close_epoch(line bigint, peer text, held bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE host SET epoch = epoch + 1, closing = false
        WHERE host_id = peer AND epoch = held AND closing AND trusted(line);
    RETURN FOUND;
END
$$;

-- The first step by which a host gets an epoch, if its row is as given; epoch 0: there is no row yet.
CREATE OR REPLACE FUNCTION begin_join(line bigint, own text, run text, former text, held bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    IF timeline() <> line THEN
        RETURN false;
    ELSIF held = 0 THEN
        INSERT INTO host VALUES (own, run, 1, true, 1, clock_timestamp(), '-infinity', '{}', false)
            ON CONFLICT DO NOTHING;
    ELSE
        UPDATE host SET epoch = epoch + 1, closing = true, incarnation = run, beat = beat + 1, expires_at = '-infinity'
            WHERE host_id = own AND incarnation = former AND epoch = held;
    END IF;
    RETURN FOUND;
END
$$;

-- The last step: the lease begins.
CREATE OR REPLACE FUNCTION finish_join(line bigint, own text, run text, held bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE host SET epoch = epoch + 1, closing = false, draining = false, backend_pids = '{}',
        beat_at = clock_timestamp(),
        expires_at = clock_timestamp() + (SELECT make_interval(secs => ttl) FROM cluster)
        WHERE host_id = own AND incarnation = run AND epoch = held AND closing AND timeline() = line;
    RETURN FOUND;
END
$$;

-- Claim an account for a host, if its row is as given (number -1: there is none) and its owner is none, that host, or a
-- host whose epoch was closed. Waits for the end of writes under the claim before. The number of the claim grows by 1.
CREATE OR REPLACE FUNCTION take_account(
    line bigint, key text, own text, run text, held bigint, former text, former_epoch bigint, number bigint
) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM host
        WHERE host_id = own AND incarnation = run AND epoch = held AND NOT closing AND expires_at > clock_timestamp()
            AND trusted(line)
        FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN false;
    ELSIF number = -1 THEN
        INSERT INTO account VALUES (key, own, held, 1) ON CONFLICT DO NOTHING;
        RETURN FOUND;
    END IF;
    PERFORM FROM account WHERE key_id = key FOR UPDATE;
    UPDATE account SET owner = own, owner_epoch = held, fence = fence + 1
        WHERE key_id = key AND fence = number AND owner IS NOT DISTINCT FROM former
            AND coalesce(owner_epoch, 0) = former_epoch
            AND (owner IS NULL OR owner = own OR NOT EXISTS (
                SELECT FROM host WHERE host_id = account.owner AND (closing OR epoch <= account.owner_epoch)));
    RETURN FOUND;
END
$$;

-- Give up a claim of an account without an open order, if its row is as given. Waits for the end of writes under it.
CREATE OR REPLACE FUNCTION release_account(line bigint, key text, own text, held bigint, number bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM account WHERE key_id = key FOR UPDATE;
    UPDATE account SET owner = NULL, owner_epoch = NULL
        WHERE key_id = key AND owner = own AND owner_epoch = held AND fence = number AND trusted(line)
            AND NOT EXISTS (SELECT FROM account_intent i
                WHERE i.owner = key AND i.state IN ('IN_FLIGHT', 'UNKNOWN', 'ARRIVING'));
    RETURN FOUND;
END
$$;

-- Say that a host hands over its accounts, or does not any more.
CREATE OR REPLACE FUNCTION drain(own text, run text, held bigint, wanted boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE host SET draining = wanted WHERE host_id = own AND incarnation = run AND epoch = held;
    RETURN FOUND;
END
$$;

-- End a host's own epoch after its last write: accounts that it has not released can be claimed at once.
CREATE OR REPLACE FUNCTION leave(own text, run text, held bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE host SET epoch = epoch + 1, expires_at = '-infinity', backend_pids = '{}'
        WHERE host_id = own AND incarnation = run AND epoch = held AND NOT closing;
    RETURN FOUND;
END
$$;
