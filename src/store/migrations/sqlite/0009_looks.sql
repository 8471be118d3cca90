-- Logos are served by their digest, whoever's they are.
CREATE TABLE logos (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    hash      TEXT NOT NULL,
    bytes     BLOB NOT NULL,
    PRIMARY KEY (tenant_id, hash)
) STRICT;

CREATE INDEX logos_by_hash ON logos (hash);

-- How pages look: a row for a tenant, whose screener_id is empty, and one for each of its screeners
-- that looks otherwise. What is not said is NULL.
CREATE TABLE looks (
    tenant_id     TEXT NOT NULL REFERENCES tenants (id),
    screener_id   TEXT NOT NULL,
    display_name  TEXT,
    logo_hash     TEXT,
    accent_color  TEXT,
    privacy_text  TEXT,
    privacy_url   TEXT,
    PRIMARY KEY (tenant_id, screener_id),
    FOREIGN KEY (tenant_id, logo_hash) REFERENCES logos (tenant_id, hash)
) STRICT;
