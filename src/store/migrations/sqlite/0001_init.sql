-- Ids are opaque text, compared byte for byte. Times are integer microseconds since 1970, UTC.
-- Booleans are 0 or 1. Every key starts with the tenant; what is looked up without one (session
-- id, slug, credential id, survey reference) is unique in the database as well.

CREATE TABLE tenants (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    disabled_at INTEGER
) STRICT;

CREATE TABLE credentials (
    id          TEXT    NOT NULL PRIMARY KEY,
    tenant_id   TEXT    NOT NULL REFERENCES tenants (id),
    kind        TEXT    NOT NULL,
    secret_hash BLOB    NOT NULL UNIQUE,
    scopes      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER
) STRICT;

CREATE INDEX credentials_by_tenant ON credentials (tenant_id, created_at, id);

-- Keys of the server itself, such as the one that seals panelist keys.
CREATE TABLE server_secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE projects (
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    id              TEXT NOT NULL,
    name            TEXT NOT NULL,
    incentive       REAL NOT NULL,
    organization_id TEXT NOT NULL,
    team_id         TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE screeners (
    tenant_id                TEXT    NOT NULL,
    id                       TEXT    NOT NULL,
    project_id               TEXT    NOT NULL,
    title                    TEXT    NOT NULL,
    status                   TEXT    NOT NULL,
    allow_multiple_responses INTEGER NOT NULL,
    active_publication_id    TEXT,
    survey_ref               BLOB    NOT NULL UNIQUE,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
) STRICT;

-- Publications, their questions and their options are written once and never changed.
CREATE TABLE publications (
    tenant_id   TEXT NOT NULL,
    id          TEXT NOT NULL,
    screener_id TEXT NOT NULL,
    tags        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, screener_id) REFERENCES screeners (tenant_id, id)
) STRICT;

CREATE TABLE questions (
    tenant_id      TEXT    NOT NULL,
    publication_id TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    position       INTEGER NOT NULL,
    page_id        TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    prompt         TEXT    NOT NULL,
    required       INTEGER NOT NULL,
    multi_line     INTEGER NOT NULL,
    slider         INTEGER NOT NULL,
    min            REAL,
    max            REAL,
    qualifies_min  REAL,
    qualifies_max  REAL,
    PRIMARY KEY (tenant_id, publication_id, id),
    FOREIGN KEY (tenant_id, publication_id) REFERENCES publications (tenant_id, id)
) STRICT;

CREATE TABLE options (
    tenant_id         TEXT    NOT NULL,
    publication_id    TEXT    NOT NULL,
    question_id       TEXT    NOT NULL,
    id                TEXT    NOT NULL,
    position          INTEGER NOT NULL,
    text              TEXT    NOT NULL,
    rule              TEXT    NOT NULL,
    write_in          INTEGER NOT NULL,
    go_to_question_id TEXT,
    PRIMARY KEY (tenant_id, publication_id, question_id, id),
    FOREIGN KEY (tenant_id, publication_id, question_id)
        REFERENCES questions (tenant_id, publication_id, id)
) STRICT;

CREATE TABLE participants (
    tenant_id       TEXT NOT NULL REFERENCES tenants (id),
    id              TEXT NOT NULL,
    external_uid    TEXT,
    name            TEXT,
    email           TEXT,
    id_verification TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_uid)
) STRICT;

-- A screener participant: one person in one screener.
CREATE TABLE assignments (
    tenant_id      TEXT    NOT NULL,
    id             TEXT    NOT NULL,
    screener_id    TEXT    NOT NULL,
    participant_id TEXT    NOT NULL,
    key_epoch      INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, participant_id, screener_id),
    FOREIGN KEY (tenant_id, screener_id) REFERENCES screeners (tenant_id, id),
    FOREIGN KEY (tenant_id, participant_id) REFERENCES participants (tenant_id, id)
) STRICT;

CREATE TABLE dismissals (
    tenant_id     TEXT    NOT NULL,
    assignment_id TEXT    NOT NULL,
    dismissed_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, assignment_id, dismissed_at),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments (tenant_id, id)
) STRICT;

-- `seq` is the arrival order within the tenant. The indexes that end in it are the lists.
CREATE TABLE sessions (
    tenant_id      TEXT    NOT NULL,
    id             TEXT    NOT NULL UNIQUE,
    seq            INTEGER NOT NULL,
    screener_id    TEXT    NOT NULL,
    publication_id TEXT    NOT NULL,
    assignment_id  TEXT    NOT NULL,
    link_slug      TEXT    NOT NULL UNIQUE,
    link_trusted   INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    started_at     INTEGER,
    last_active_at INTEGER,
    completed_at   INTEGER,
    created_at     INTEGER NOT NULL,
    removed_at     INTEGER,
    removed_by     TEXT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, publication_id) REFERENCES publications (tenant_id, id),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments (tenant_id, id)
) STRICT;

CREATE UNIQUE INDEX sessions_by_tenant ON sessions (tenant_id, seq);
CREATE INDEX sessions_by_screener ON sessions (tenant_id, screener_id, seq);
CREATE INDEX sessions_by_assignment ON sessions (tenant_id, assignment_id, seq);

-- One answer; all three values are absent where the question was shown and skipped.
CREATE TABLE responses (
    tenant_id      TEXT    NOT NULL,
    session_id     TEXT    NOT NULL,
    question_id    TEXT    NOT NULL,
    seq            INTEGER NOT NULL,
    screener_id    TEXT    NOT NULL,
    publication_id TEXT    NOT NULL,
    assignment_id  TEXT    NOT NULL,
    text           TEXT,
    number         REAL,
    choices        TEXT,
    PRIMARY KEY (tenant_id, session_id, question_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id),
    FOREIGN KEY (tenant_id, publication_id, question_id)
        REFERENCES questions (tenant_id, publication_id, id)
) STRICT;

CREATE UNIQUE INDEX responses_by_tenant ON responses (tenant_id, seq);
CREATE INDEX responses_by_screener ON responses (tenant_id, screener_id, seq);
CREATE INDEX responses_by_publication ON responses (tenant_id, publication_id, seq);
CREATE INDEX responses_by_assignment ON responses (tenant_id, assignment_id, seq);

-- The review of a submission, which exists from its session's first submission on.
CREATE TABLE submissions (
    tenant_id           TEXT    NOT NULL,
    session_id          TEXT    NOT NULL,
    status              TEXT    NOT NULL,
    visibility          TEXT    NOT NULL,
    favorite            INTEGER NOT NULL,
    hidden              INTEGER NOT NULL,
    is_new              INTEGER NOT NULL,
    qualified_override  INTEGER,
    invite_sent_at      INTEGER,
    scheduled_at        INTEGER,
    status_updated_at   INTEGER,
    actor               TEXT,
    reason              TEXT,
    short_notice_cancel INTEGER,
    message             TEXT,
    rejection_message   TEXT,
    rejected_at         INTEGER,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
) STRICT;

-- The audit log; rows are only ever added.
CREATE TABLE changes (
    tenant_id    TEXT    NOT NULL REFERENCES tenants (id),
    seq          INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    action       TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    subject_id   TEXT    NOT NULL,
    state_before TEXT,
    state_after  TEXT,
    PRIMARY KEY (tenant_id, seq)
) STRICT;

CREATE INDEX changes_by_subject ON changes (tenant_id, subject, subject_id, seq);

-- How many rows a list has in a scope: a tenant, a screener, a publication.
CREATE TABLE list_totals (
    tenant_id TEXT    NOT NULL,
    list      TEXT    NOT NULL,
    scope     TEXT    NOT NULL,
    scope_id  TEXT    NOT NULL,
    total     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, list, scope, scope_id)
) STRICT;

-- Where each block of a list in a scope begins, so that any offset is one seek away.
CREATE TABLE list_marks (
    tenant_id TEXT    NOT NULL,
    list      TEXT    NOT NULL,
    scope     TEXT    NOT NULL,
    scope_id  TEXT    NOT NULL,
    block     INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, list, scope, scope_id, block)
) STRICT;

CREATE UNIQUE INDEX list_marks_by_seq ON list_marks (tenant_id, list, scope, scope_id, first_seq);
