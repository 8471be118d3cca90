-- Who removed a session, and when, is in the audit log, and only there.
ALTER TABLE sessions DROP COLUMN removed_at;
ALTER TABLE sessions DROP COLUMN removed_by;
