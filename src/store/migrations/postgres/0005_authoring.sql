-- Screeners and publications become lists, paged like the others: `seq` is the arrival order within
-- the tenant. A column can only be added with a default; -1 is nobody's place, and every insert
-- says its own.

ALTER TABLE screeners ADD COLUMN seq BIGINT NOT NULL DEFAULT -1;
-- The draft of a screener's next publication, by the id that it will have.
ALTER TABLE screeners ADD COLUMN draft_publication_id TEXT COLLATE "C";

-- A draft stands among the publications, without a place in their list. What was imported may not
-- know when it was published; the digest of what was there before this version is not known.
ALTER TABLE publications ADD COLUMN seq BIGINT NOT NULL DEFAULT -1;
ALTER TABLE publications ADD COLUMN state TEXT COLLATE "C" NOT NULL DEFAULT 'PUBLISHED';
ALTER TABLE publications ADD COLUMN published_at BIGINT;
ALTER TABLE publications ADD COLUMN content_hash TEXT COLLATE "C";

ALTER TABLE questions ADD COLUMN min_length BIGINT;
ALTER TABLE questions ADD COLUMN max_length BIGINT;
ALTER TABLE questions ADD COLUMN pattern TEXT COLLATE "C";
ALTER TABLE questions ADD COLUMN step DOUBLE PRECISION;
ALTER TABLE questions ADD COLUMN min_choices BIGINT;
ALTER TABLE questions ADD COLUMN max_choices BIGINT;

-- A choice leads to a question, or to the end, or to the next question.
ALTER TABLE options ADD COLUMN go_to_end BIGINT NOT NULL DEFAULT 0;

-- Rows that were there before are numbered as they stand, which is the order in which they were
-- inserted, since none was ever changed or deleted.
UPDATE screeners SET seq = numbered.seq
FROM (
    SELECT ctid AS place, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY ctid) - 1 AS seq
    FROM screeners
) AS numbered
WHERE screeners.ctid = numbered.place;

UPDATE publications SET seq = numbered.seq
FROM (
    SELECT ctid AS place, ROW_NUMBER() OVER (PARTITION BY tenant_id ORDER BY ctid) - 1 AS seq
    FROM publications
) AS numbered
WHERE publications.ctid = numbered.place;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'screeners', 'tenant', '', COUNT(*) FROM screeners GROUP BY tenant_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'screeners', 'project', project_id, COUNT(*)
FROM screeners GROUP BY tenant_id, project_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'publications', 'tenant', '', COUNT(*) FROM publications GROUP BY tenant_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'publications', 'screener', screener_id, COUNT(*)
FROM publications GROUP BY tenant_id, screener_id;

INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
SELECT tenant_id, 'screeners', 'project', project_id, place / 128, seq
FROM (
    SELECT tenant_id, project_id, seq,
        ROW_NUMBER() OVER (PARTITION BY tenant_id, project_id ORDER BY seq) - 1 AS place
    FROM screeners
) AS placed
WHERE place % 128 = 0;

INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
SELECT tenant_id, 'publications', 'screener', screener_id, place / 128, seq
FROM (
    SELECT tenant_id, screener_id, seq,
        ROW_NUMBER() OVER (PARTITION BY tenant_id, screener_id ORDER BY seq) - 1 AS place
    FROM publications
) AS placed
WHERE place % 128 = 0;

CREATE UNIQUE INDEX screeners_by_tenant ON screeners (tenant_id, seq);
CREATE INDEX screeners_by_project ON screeners (tenant_id, project_id, seq);
CREATE INDEX publications_by_screener ON publications (tenant_id, screener_id, seq);
