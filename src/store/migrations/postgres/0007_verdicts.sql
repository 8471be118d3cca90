-- Submissions become a list, paged like the others: `seq` is the arrival order within the tenant. A
-- column can only be added with a default; -1 is nobody's place, and every insert says its own.
ALTER TABLE submissions ADD COLUMN seq BIGINT NOT NULL DEFAULT -1;

-- What a list of submissions is filtered by stands beside the status, so that its walk reads
-- nothing else. Whether the participant qualifies is not known of what was there before until it is
-- settled, which happens when the database is opened.
ALTER TABLE submissions ADD COLUMN screener_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN project_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN qualified BIGINT;

-- The verdict, all of it or nothing, and last the trace, which can be long: a JSON list of objects
-- with question, rule, value and score.
ALTER TABLE submissions ADD COLUMN publication_hash TEXT COLLATE "C";
ALTER TABLE submissions ADD COLUMN percentage BIGINT;
ALTER TABLE submissions ADD COLUMN questions_qualified BIGINT;
ALTER TABLE submissions ADD COLUMN first_disqualifying TEXT COLLATE "C";
ALTER TABLE submissions ADD COLUMN verdict TEXT COLLATE "C";

UPDATE submissions SET seq = placed.seq, screener_id = placed.screener_id,
    project_id = placed.project_id, created_at = placed.created_at
FROM (
    SELECT v.tenant_id, v.session_id, s.screener_id, c.project_id,
        COALESCE(s.completed_at, s.started_at, s.created_at) AS created_at,
        ROW_NUMBER() OVER (PARTITION BY v.tenant_id ORDER BY s.seq) - 1 AS seq
    FROM submissions v
    JOIN sessions s ON s.tenant_id = v.tenant_id AND s.id = v.session_id
    JOIN screeners c ON c.tenant_id = s.tenant_id AND c.id = s.screener_id
) AS placed
WHERE submissions.tenant_id = placed.tenant_id AND submissions.session_id = placed.session_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'submissions', 'tenant', '', COUNT(*) FROM submissions GROUP BY tenant_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'submissions', 'screener', screener_id, COUNT(*)
FROM submissions GROUP BY tenant_id, screener_id;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'submissions', 'project', project_id, COUNT(*)
FROM submissions GROUP BY tenant_id, project_id;

INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
SELECT tenant_id, 'submissions', 'screener', screener_id, place / 128, seq
FROM (
    SELECT tenant_id, screener_id, seq,
        ROW_NUMBER() OVER (PARTITION BY tenant_id, screener_id ORDER BY seq) - 1 AS place
    FROM submissions
) AS placed
WHERE place % 128 = 0;

INSERT INTO list_marks (tenant_id, list, scope, scope_id, block, first_seq)
SELECT tenant_id, 'submissions', 'project', project_id, place / 128, seq
FROM (
    SELECT tenant_id, project_id, seq,
        ROW_NUMBER() OVER (PARTITION BY tenant_id, project_id ORDER BY seq) - 1 AS place
    FROM submissions
) AS placed
WHERE place % 128 = 0;

CREATE UNIQUE INDEX submissions_by_tenant ON submissions (tenant_id, seq);
CREATE INDEX submissions_by_screener ON submissions (tenant_id, screener_id, seq);
CREATE INDEX submissions_by_project ON submissions (tenant_id, project_id, seq);

-- How many sessions of a publication stand in each cell of the funnel, and in which a session does.
CREATE TABLE funnel_cells (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    screener_id    TEXT COLLATE "C" NOT NULL,
    publication_id TEXT COLLATE "C" NOT NULL,
    cell           TEXT COLLATE "C" NOT NULL,
    sessions       BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, screener_id, publication_id, cell)
);

ALTER TABLE sessions ADD COLUMN funnel_cell TEXT COLLATE "C";

-- Sessions from before, which stand in no cell yet. They are settled, and taken out of here, when
-- the database is opened.
CREATE TABLE unsettled_sessions (
    tenant_id TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

INSERT INTO unsettled_sessions (tenant_id, id) SELECT tenant_id, id FROM sessions;
