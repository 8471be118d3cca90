-- What answered a submission that came with a key of its caller's own, so that a repeat is answered
-- alike. The digest tells a repeat from another submission under the same key.
CREATE TABLE submission_keys (
    tenant_id     TEXT    NOT NULL,
    assignment_id TEXT    NOT NULL,
    key           TEXT    NOT NULL,
    digest        BLOB    NOT NULL,
    receipt       TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, assignment_id, key),
    FOREIGN KEY (tenant_id, assignment_id) REFERENCES assignments (tenant_id, id)
) STRICT;

CREATE INDEX submission_keys_by_age ON submission_keys (created_at);
