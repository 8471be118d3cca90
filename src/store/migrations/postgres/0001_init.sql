-- Ids are opaque text, compared byte for byte. Times are integer microseconds since 1970, UTC.
-- Booleans are 0 or 1. Every key starts with the tenant; what is looked up without one (session
-- id, slug, credential id, survey reference) is unique in the database as well.

CREATE TABLE tenants (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT           NOT NULL,
    disabled_at BIGINT
);

CREATE TABLE credentials (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    kind        TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA            NOT NULL UNIQUE,
    scopes      TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT           NOT NULL,
    expires_at  BIGINT,
    revoked_at  BIGINT
);

CREATE INDEX credentials_by_tenant ON credentials (tenant_id, created_at, id);

-- Keys of the server itself, such as the one that seals panelist keys.
CREATE TABLE server_secrets (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA            NOT NULL
);

CREATE TABLE projects (
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id              TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    incentive       DOUBLE PRECISION NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    team_id         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE screeners (
    tenant_id                TEXT COLLATE "C" NOT NULL,
    id                       TEXT COLLATE "C" NOT NULL,
    project_id               TEXT COLLATE "C" NOT NULL,
    title                    TEXT COLLATE "C" NOT NULL,
    status                   TEXT COLLATE "C" NOT NULL,
    allow_multiple_responses BIGINT           NOT NULL,
    active_publication_id    TEXT COLLATE "C",
    survey_ref               BYTEA            NOT NULL UNIQUE,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);

-- Publications, their questions and their options are written once and never changed.
CREATE TABLE publications (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    id          TEXT COLLATE "C" NOT NULL,
    screener_id TEXT COLLATE "C" NOT NULL,
    tags        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, screener_id) REFERENCES screeners (tenant_id, id)
);

CREATE TABLE questions (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    publication_id TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    position       BIGINT           NOT NULL,
    page_id        TEXT COLLATE "C" NOT NULL,
    kind           TEXT COLLATE "C" NOT NULL,
    prompt         TEXT COLLATE "C" NOT NULL,
    required       BIGINT           NOT NULL,
    multi_line     BIGINT           NOT NULL,
    slider         BIGINT           NOT NULL,
    min            DOUBLE PRECISION,
    max            DOUBLE PRECISION,
    qualifies_min  DOUBLE PRECISION,
    qualifies_max  DOUBLE PRECISION,
    PRIMARY KEY (tenant_id, publication_id, id),
    FOREIGN KEY (tenant_id, publication_id) REFERENCES publications (tenant_id, id)
);

CREATE TABLE options (
    tenant_id         TEXT COLLATE "C" NOT NULL,
    publication_id    TEXT COLLATE "C" NOT NULL,
    question_id       TEXT COLLATE "C" NOT NULL,
    id                TEXT COLLATE "C" NOT NULL,
    position          BIGINT           NOT NULL,
    text              TEXT COLLATE "C" NOT NULL,
    rule              TEXT COLLATE "C" NOT NULL,
    write_in          BIGINT           NOT NULL,
    go_to_question_id TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, publication_id, question_id, id),
    FOREIGN KEY (tenant_id, publication_id, question_id)
        REFERENCES questions (tenant_id, publication_id, id)
);

CREATE TABLE participants (
    tenant_id       TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    id              TEXT COLLATE "C" NOT NULL,
    external_uid    TEXT COLLATE "C",
    name            TEXT COLLATE "C",
    email           TEXT COLLATE "C",
    id_verification TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_uid)
);

-- A screener participant: one person in one screener.
CREATE TABLE assignments (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL,
    screener_id    TEXT COLLATE "C" NOT NULL,
    participant_id TEXT COLLATE "C" NOT NULL,
    key_epoch      BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, participant_id, screener_id),
    FOREIGN KEY (tenant_id, screener_id) REFERENCES screeners (tenant_id, id),
    FOREIGN KEY (tenant_id, participant_id) REFERENCES participants (tenant_id, id)
);

CREATE TABLE dismissals (
    tenant_id     TEXT COLLATE "C" NOT NULL,
    assignment_id TEXT COLLATE "C" NOT NULL,
    dismissed_at  BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, assignment_id, dismissed_at),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments (tenant_id, id)
);

-- `seq` is the arrival order within the tenant. The indexes that end in it are the lists.
CREATE TABLE sessions (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    id             TEXT COLLATE "C" NOT NULL UNIQUE,
    seq            BIGINT           NOT NULL,
    screener_id    TEXT COLLATE "C" NOT NULL,
    publication_id TEXT COLLATE "C" NOT NULL,
    assignment_id  TEXT COLLATE "C" NOT NULL,
    link_slug      TEXT COLLATE "C" NOT NULL UNIQUE,
    link_trusted   BIGINT           NOT NULL,
    status         TEXT COLLATE "C" NOT NULL,
    started_at     BIGINT,
    last_active_at BIGINT,
    completed_at   BIGINT,
    created_at     BIGINT           NOT NULL,
    removed_at     BIGINT,
    removed_by     TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, publication_id) REFERENCES publications (tenant_id, id),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments (tenant_id, id)
);

CREATE UNIQUE INDEX sessions_by_tenant ON sessions (tenant_id, seq);
CREATE INDEX sessions_by_screener ON sessions (tenant_id, screener_id, seq);
CREATE INDEX sessions_by_assignment ON sessions (tenant_id, assignment_id, seq);

-- One answer; all three values are absent where the question was shown and skipped.
CREATE TABLE responses (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    session_id     TEXT COLLATE "C" NOT NULL,
    question_id    TEXT COLLATE "C" NOT NULL,
    seq            BIGINT           NOT NULL,
    screener_id    TEXT COLLATE "C" NOT NULL,
    publication_id TEXT COLLATE "C" NOT NULL,
    assignment_id  TEXT COLLATE "C" NOT NULL,
    text           TEXT COLLATE "C",
    number         DOUBLE PRECISION,
    choices        TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, session_id, question_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id),
    FOREIGN KEY (tenant_id, publication_id, question_id)
        REFERENCES questions (tenant_id, publication_id, id)
);

CREATE UNIQUE INDEX responses_by_tenant ON responses (tenant_id, seq);
CREATE INDEX responses_by_screener ON responses (tenant_id, screener_id, seq);
CREATE INDEX responses_by_publication ON responses (tenant_id, publication_id, seq);
CREATE INDEX responses_by_assignment ON responses (tenant_id, assignment_id, seq);

-- The review of a submission, which exists from its session's first submission on.
CREATE TABLE submissions (
    tenant_id           TEXT COLLATE "C" NOT NULL,
    session_id          TEXT COLLATE "C" NOT NULL,
    status              TEXT COLLATE "C" NOT NULL,
    visibility          TEXT COLLATE "C" NOT NULL,
    favorite            BIGINT           NOT NULL,
    hidden              BIGINT           NOT NULL,
    is_new              BIGINT           NOT NULL,
    qualified_override  BIGINT,
    invite_sent_at      BIGINT,
    scheduled_at        BIGINT,
    status_updated_at   BIGINT,
    actor               TEXT COLLATE "C",
    reason              TEXT COLLATE "C",
    short_notice_cancel BIGINT,
    message             TEXT COLLATE "C",
    rejection_message   TEXT COLLATE "C",
    rejected_at         BIGINT,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);

-- The audit log; rows are only ever added.
CREATE TABLE changes (
    tenant_id    TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    seq          BIGINT           NOT NULL,
    at           BIGINT           NOT NULL,
    actor        TEXT COLLATE "C" NOT NULL,
    action       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    subject_id   TEXT COLLATE "C" NOT NULL,
    state_before TEXT COLLATE "C",
    state_after  TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, seq)
);

CREATE INDEX changes_by_subject ON changes (tenant_id, subject, subject_id, seq);

-- How many rows a list has in a scope: a tenant, a screener, a publication.
CREATE TABLE list_totals (
    tenant_id TEXT COLLATE "C" NOT NULL,
    list      TEXT COLLATE "C" NOT NULL,
    scope     TEXT COLLATE "C" NOT NULL,
    scope_id  TEXT COLLATE "C" NOT NULL,
    total     BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, list, scope, scope_id)
);

-- Where each block of a list in a scope begins, so that any offset is one seek away.
CREATE TABLE list_marks (
    tenant_id TEXT COLLATE "C" NOT NULL,
    list      TEXT COLLATE "C" NOT NULL,
    scope     TEXT COLLATE "C" NOT NULL,
    scope_id  TEXT COLLATE "C" NOT NULL,
    block     BIGINT           NOT NULL,
    first_seq BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, list, scope, scope_id, block)
);

CREATE UNIQUE INDEX list_marks_by_seq ON list_marks (tenant_id, list, scope, scope_id, first_seq);
