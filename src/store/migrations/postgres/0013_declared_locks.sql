-- An import of an older server may hold the table for minutes, and whoever waits for it keeps the writes
-- of all others waiting: then the start fails, and is repeated after the import.
SET LOCAL lock_timeout = '10s';

-- From now on servers lock other things than before. An older server that still runs goes on reading.
-- Each of its writes touches a total and fails as it would while the database is away, so that callers
-- come again, to a newer server.
CREATE FUNCTION refuse_old_servers() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a newer version of screenerd writes to this database: restart this server with it'
        USING ERRCODE = '57P03';
END $$;

CREATE TRIGGER refuse_old_servers BEFORE INSERT OR UPDATE ON list_totals
    FOR EACH STATEMENT
    WHEN (current_setting('screenerd.locks', TRUE) IS DISTINCT FROM 'declared')
    EXECUTE FUNCTION refuse_old_servers();

-- A write changes the total of its tenant's audit log before any other count, so it is always there.
INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT id, 'changes', 'tenant', '', 0 FROM tenants ON CONFLICT DO NOTHING;
