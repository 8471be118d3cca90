-- What answered a submission that came with a key of its caller's own, so that a repeat is answered
-- alike. The digest tells a repeat from another submission under the same key.
CREATE TABLE submission_keys (
    tenant_id     TEXT COLLATE "C" NOT NULL,
    assignment_id TEXT COLLATE "C" NOT NULL,
    key           TEXT COLLATE "C" NOT NULL,
    digest        BYTEA            NOT NULL,
    receipt       TEXT COLLATE "C" NOT NULL,
    created_at    BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, assignment_id, key),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments (tenant_id, id)
);

CREATE INDEX submission_keys_by_age ON submission_keys (created_at);
