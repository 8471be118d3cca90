-- Projects and participants become lists, paged like the others: `seq` is the arrival order within
-- the tenant. A column can only be added with a default; -1 is nobody's place, and every insert
-- says its own.

ALTER TABLE projects ADD COLUMN seq INTEGER NOT NULL DEFAULT -1;
ALTER TABLE participants ADD COLUMN seq INTEGER NOT NULL DEFAULT -1;

-- Rows that were there before are numbered in the order in which they were inserted.
UPDATE projects SET seq = numbered.seq
FROM (
    SELECT rowid AS place, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY rowid) - 1 AS seq
    FROM projects
) AS numbered
WHERE projects.rowid = numbered.place;

UPDATE participants SET seq = numbered.seq
FROM (
    SELECT rowid AS place, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY rowid) - 1 AS seq
    FROM participants
) AS numbered
WHERE participants.rowid = numbered.place;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'projects', 'tenant', '', COUNT(*) FROM projects GROUP BY tenant_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'participants', 'tenant', '', COUNT(*) FROM participants GROUP BY tenant_id;

CREATE UNIQUE INDEX projects_by_tenant ON projects (tenant_id, seq);
CREATE UNIQUE INDEX participants_by_tenant ON participants (tenant_id, seq);
