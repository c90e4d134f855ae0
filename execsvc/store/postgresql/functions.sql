-- The functions that hosts call; each call is one statement, and one transaction by itself. Raised errors:
-- EX001 the terms of hosts differ, EX002 the tables have another version.
SET search_path = execsvc;

-- The timeline that this PostgreSQL writes on; it grows when a standby is promoted.
CREATE OR REPLACE FUNCTION timeline() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint
$$;

-- Write the last states of rows: images[i] is the JSON array [rowid, columns...] or NULL for a deleted row, keys[i] the
-- JSON array of the key, tables[i] the twin's name. At most one image of a row. Made from the tables themselves.
DO $make$
DECLARE
    branches text := '';
    twin record;
BEGIN
    FOR twin IN
        SELECT c.relname AS name,
            string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE a.attname <> 'owner') AS columns,
            string_agg(format('(r.image->>%s)::%s', a.attnum - 2, format_type(a.atttypid, a.atttypmod)), ', '
                ORDER BY a.attnum) FILTER (WHERE a.attname <> 'owner') AS fields,
            string_agg(format('%1$I = excluded.%1$I', a.attname), ', ' ORDER BY a.attnum)
                FILTER (WHERE a.attname <> 'owner') AS taken,
            (SELECT string_agg(format('t.%I = (r.key->>%s)::%s', k.attname, place - 2, format_type(k.atttypid, -1)),
                    ' AND ' ORDER BY place)
                FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS part (number, place)
                JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = part.number
                WHERE place > 1) AS matches,
            (SELECT string_agg(quote_ident(k.attname), ', ' ORDER BY place)
                FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS part (number, place)
                JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = part.number) AS key
        FROM pg_class c
        JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef
        WHERE c.relnamespace = 'execsvc'::regnamespace AND c.relname ~ '^(bot|account)_'
        GROUP BY c.oid, c.relname, i.indkey
    LOOP
        branches := branches || format($branch$
        WHEN %1$L THEN
            DELETE FROM %1$I t USING unnest(owners, tables, keys, images) AS r (owner, name, key, image)
                WHERE r.name = %1$L AND r.image IS NULL AND t.owner = r.owner AND %2$s;
            INSERT INTO %1$I (owner, %3$s)
                SELECT r.owner, %4$s FROM unnest(owners, tables, keys, images) AS r (owner, name, key, image)
                WHERE r.name = %1$L AND r.image IS NOT NULL
                ON CONFLICT (%5$s) DO UPDATE SET %6$s;$branch$,
            twin.name, twin.matches, twin.columns, twin.fields, twin.key, twin.taken);
    END LOOP;
    EXECUTE format($function$
        CREATE OR REPLACE FUNCTION apply(owners text[], tables text[], keys jsonb[], images jsonb[]) RETURNS void
        LANGUAGE plpgsql AS $apply$
        #variable_conflict use_column
        DECLARE
            which text;
        BEGIN
            FOR which IN SELECT DISTINCT unnest(tables) LOOP
                CASE which %s
                ELSE RAISE EXCEPTION 'table %% is not known', which;
                END CASE;
            END LOOP;
        END
        $apply$$function$, branches);
END
$make$;

-- All rows of one bot or account: the twin's name without its kind, and [rowid, columns...] by rowid.
DO $make$
DECLARE
    parts text;
BEGIN
    SELECT string_agg(format(
        $part$SELECT %L, (SELECT json_agg(json_build_array(%s) ORDER BY row_id) FROM %I WHERE owner = wanted)$part$,
        regexp_replace(twin.name, '^(bot|account)_', ''), twin.columns, twin.name)
        || format(' WHERE kind = %L', substring(twin.name from '^(bot|account)_')), ' UNION ALL ')
    INTO parts
    FROM (
        SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef
            AND a.attname <> 'owner'
        WHERE c.relnamespace = 'execsvc'::regnamespace AND c.relname ~ '^(bot|account)_' AND c.relkind = 'r'
        GROUP BY c.relname
    ) twin;
    EXECUTE format($function$
        CREATE OR REPLACE FUNCTION read_rows(kind text, wanted text) RETURNS TABLE (name text, content json)
        LANGUAGE sql STABLE AS $read$ SELECT * FROM (%s) AS found (name, content) WHERE content IS NOT NULL $read$
        $function$, parts);
END
$make$;


-- The accounts that bots are bound to, by bot. A bot without one that is to be written without one stays as it is meanwhile.
CREATE OR REPLACE FUNCTION bindings(batch jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    IF EXISTS (SELECT FROM jsonb_array_elements(batch) w WHERE w->>3 = '') THEN
        PERFORM FROM bot_bot WHERE owner IN (
            SELECT w->>2 FROM jsonb_array_elements(batch) w WHERE w->>3 = '' AND w->>1 = 'bot')
            ORDER BY owner FOR UPDATE;
    END IF;
    RETURN (SELECT coalesce(jsonb_object_agg(owner, key_id), '{}') FROM bot_bot
        WHERE key_id <> '' AND owner IN (
            SELECT w->>2 FROM jsonb_array_elements(batch) w WHERE w->>1 = 'bot'));
END
$$;

-- True when nothing but the time of its lease keeps this life of the host from writing: the next beat may prolong it, as
-- after the clock of the database was set forward, and no other host has ended it.
CREATE OR REPLACE FUNCTION is_late(host text, run text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM host
        WHERE host_id = is_late.host AND incarnation = run AND NOT closing AND expires_at <= clock_timestamp())
$$;

-- The fenced write. A bot that is bound to an account is written by the host that has claimed that account. batch: [[write_id, kind, owner, key_id, fence, [[table, key, row or null], ...]], ...]. One answer a
-- write: recorded, lost (refused by lease or claim), expired (the lease has run out, the claim is still there) or frozen (refused on a timeline that is not acknowledged). All of
-- the batch is refused when one of it breaks a rule of the tables. The lock keeps a claim from being moved under the write; it does not make the beats of the host wait.
CREATE OR REPLACE FUNCTION write_batch(host text, run text, batch jsonb) RETURNS text[]
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    present bigint;
    bound jsonb;                        -- by bot, the account that it is bound to
    fences jsonb;                       -- by key_id, of the claims of this host
    admitted boolean[];
    owners text[];
    tables text[];
    keys jsonb[];
    images jsonb[];
BEGIN
    IF NOT EXISTS (SELECT FROM cluster WHERE acknowledged = timeline()) THEN
        RETURN array_fill('frozen'::text, ARRAY[jsonb_array_length(batch)]);
    END IF;
    SELECT epoch INTO present FROM host
        WHERE host_id = write_batch.host AND incarnation = run AND NOT closing AND expires_at > clock_timestamp()
        FOR KEY SHARE;
    IF present IS NULL AND is_late(host, run) THEN
        RETURN ARRAY(SELECT CASE
                WHEN w->>3 = '' OR EXISTS (SELECT FROM account a JOIN host h ON h.host_id = a.owner AND h.epoch = a.owner_epoch
                    WHERE a.key_id = w->>3 AND a.owner = write_batch.host AND to_jsonb(a.fence) = w->4) THEN 'expired'
                ELSE 'lost'
            END FROM jsonb_array_elements(batch) WITH ORDINALITY AS asked (w, place) ORDER BY place);
    END IF;
    IF present IS NOT NULL THEN
        bound := bindings(batch);
        SELECT jsonb_object_agg(held.key_id, held.fence) INTO fences FROM (
            SELECT a.key_id, a.fence
            FROM account a JOIN host h ON h.host_id = a.owner AND h.epoch = a.owner_epoch
            WHERE a.key_id IN (
                    SELECT w->>3 FROM jsonb_array_elements(batch) w UNION SELECT value FROM jsonb_each_text(bound))
                AND h.host_id = write_batch.host AND h.epoch = present AND h.incarnation = run
                AND h.expires_at > clock_timestamp()
            FOR KEY SHARE OF a, h
        ) held;
    END IF;
    SELECT array_agg(
        present IS NOT NULL AND (
            (w->>3 = '' AND w->>1 = 'bot' AND NOT bound ? (w->>2))
            OR ((w->>1 = 'account' AND w->>2 = w->>3 OR w->>1 = 'bot'
                    AND (NOT bound ? (w->>2) OR coalesce(fences ? (bound->>(w->>2)), false)))
                AND coalesce(fences->(w->>3) = w->4, false))
        ) ORDER BY place)
    INTO admitted FROM jsonb_array_elements(batch) WITH ORDINALITY AS asked (w, place);
    INSERT INTO written (write_id, void)
        SELECT w->>0, false FROM jsonb_array_elements(batch) WITH ORDINALITY AS asked (w, place)
        WHERE admitted[place];
    SELECT array_agg(w->>2), array_agg((w->>1) || '_' || (r->>0)), array_agg(r->1), array_agg(nullif(r->2, 'null'))
    INTO owners, tables, keys, images
    FROM jsonb_array_elements(batch) WITH ORDINALITY AS asked (w, place), jsonb_array_elements(w->5) r
    WHERE admitted[place];
    IF owners IS NOT NULL THEN
        PERFORM apply(owners, tables, keys, images);
    END IF;
    RETURN ARRAY(SELECT CASE WHEN each THEN 'recorded' ELSE 'lost' END
        FROM unnest(admitted) WITH ORDINALITY AS a (each, place) ORDER BY place);
END
$$;

-- True for a write that was recorded. One that was not never will be, even if it is on its way: that is recorded here,
-- and an insert of the same id that is not committed yet is waited for.
CREATE OR REPLACE FUNCTION was_written(asked text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    found_void boolean;
BEGIN
    INSERT INTO written (write_id, void) VALUES (asked, true) ON CONFLICT DO NOTHING;
    SELECT void INTO found_void FROM written WHERE write_id = asked;
    RETURN NOT found_void;
END
$$;

-- Forget writes of more than 7 days ago, so many at once that others hardly wait. Returns their count.
DROP FUNCTION IF EXISTS forget_writes();
CREATE OR REPLACE FUNCTION forget_writes(most bigint DEFAULT 5000) RETURNS bigint
LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM written WHERE write_id IN (
            SELECT write_id FROM written WHERE at < clock_timestamp() - interval '7 days'
                LIMIT most FOR UPDATE SKIP LOCKED)
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- Keep a record of the whole service, written by a host whose lease is good: recorded, lost, expired or frozen.
CREATE OR REPLACE FUNCTION put_record(host text, run text, record text, bytes bytea) RETURNS text
LANGUAGE sql AS $$
    WITH present AS (
        SELECT FROM host WHERE host_id = put_record.host AND incarnation = run AND NOT closing
            AND expires_at > clock_timestamp() AND EXISTS (SELECT FROM cluster WHERE acknowledged = timeline())
        FOR KEY SHARE
    ), kept AS (
        INSERT INTO service_record (name, content) SELECT record, bytes FROM present
        ON CONFLICT (name) DO UPDATE SET content = excluded.content, at = clock_timestamp()
        RETURNING 1
    )
    SELECT CASE
        WHEN EXISTS (SELECT FROM kept) THEN 'recorded'
        WHEN NOT EXISTS (SELECT FROM cluster WHERE acknowledged = timeline()) THEN 'frozen'
        WHEN is_late(host, run) THEN 'expired'
        ELSE 'lost'
    END
$$;

-- Replace a record of the whole service if it is as given (former NULL: there is none): recorded, changed, lost, expired or frozen.
CREATE OR REPLACE FUNCTION replace_record(host text, run text, record text, former bytea, bytes bytea) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM cluster WHERE acknowledged = timeline()) THEN
        RETURN 'frozen';
    END IF;
    PERFORM FROM host WHERE host_id = replace_record.host AND incarnation = run AND NOT closing
        AND expires_at > clock_timestamp() FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN CASE WHEN is_late(host, run) THEN 'expired' ELSE 'lost' END;
    ELSIF former IS NULL THEN
        INSERT INTO service_record (name, content) VALUES (record, bytes) ON CONFLICT DO NOTHING;
    ELSE
        UPDATE service_record SET content = bytes, at = clock_timestamp() WHERE name = record AND content = former;
    END IF;
    RETURN CASE WHEN FOUND THEN 'recorded' ELSE 'changed' END;
END
$$;
