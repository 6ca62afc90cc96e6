-- The tables of the store. Format 1.

-- One row, which every commit locks: commits of all nodes are serial, and the log has no gap and no fork.
CREATE TABLE {s}.head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    format integer NOT NULL,
    commits bigint NOT NULL CHECK (commits >= 0),
    log_len bigint NOT NULL CHECK (log_len >= 0),
    sum bytea NOT NULL
) WITH (fillfactor = 10); -- updated by every commit: old rows should fit on the same page
COMMENT ON TABLE {s}.head IS 'How far the store is. Never write here by hand.';

CREATE TABLE {s}.records (
    key bytea PRIMARY KEY,
    version bigint NOT NULL,
    value bytea NOT NULL,
    sum bytea NOT NULL
);
COMMENT ON TABLE {s}.records IS 'The state. Never write here by hand: each row has a checksum.';

CREATE TABLE {s}.log (
    index bigint PRIMARY KEY CHECK (index >= 0),
    entry bytea NOT NULL,
    sum bytea NOT NULL
);
COMMENT ON TABLE {s}.log IS 'The audit log: rows are appended, never changed and never removed.';

-- Who writes. A commit happens only while node, opening and epoch are still those of its session, and
-- leaves the number of its group behind: so a reply that was lost can be asked for again.
CREATE TABLE {s}.writers (
    node text PRIMARY KEY,
    opening text NOT NULL,
    epoch bigint NOT NULL,
    last_opening text,
    last_group bigint,
    at timestamptz NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE {s}.writers IS 'The nodes, and the last group of commits of each.';

CREATE FUNCTION {s}.refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
    RAISE EXCEPTION 'the log of placet is append-only: % is refused', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Entries stay for good. What may be erased stands outside the log.';
END
$body$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {s}.log
    FOR EACH STATEMENT EXECUTE FUNCTION {s}.refuse_change();
-- Also where a session says that it replicates.
ALTER TABLE {s}.log ENABLE ALWAYS TRIGGER append_only;

-- For the owner: what the role of an application needs, and no more. It cannot change or remove an entry
-- of the log, nor switch the trigger off, because it does not own the table.
CREATE FUNCTION {s}.admit_application(name text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA {s} TO %I', name);
    EXECUTE format('REVOKE ALL ON {s}.head, {s}.records, {s}.log, {s}.writers FROM %I', name);
    EXECUTE format('GRANT SELECT, UPDATE ON {s}.head TO %I', name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON {s}.records, {s}.writers TO %I', name);
    EXECUTE format('GRANT SELECT, INSERT ON {s}.log TO %I', name);
END
$body$;

-- For the owner: lets a role read the views, and nothing else.
CREATE FUNCTION {s}.admit_reader(name text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog AS $body$
DECLARE
    shown text;
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA {s} TO %I', name);
    FOR shown IN SELECT viewname FROM pg_views WHERE schemaname = '{plain}' LOOP
        EXECUTE format('GRANT SELECT ON {s}.%I TO %I', shown, name);
    END LOOP;
END
$body$;
REVOKE ALL ON FUNCTION {s}.admit_application(text), {s}.admit_reader(text) FROM PUBLIC;
