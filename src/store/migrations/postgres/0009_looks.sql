-- Logos are served by their digest, whoever's they are.
CREATE TABLE logos (
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    hash      TEXT COLLATE "C" NOT NULL,
    bytes     BYTEA            NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);

CREATE INDEX logos_by_hash ON logos (hash);

-- How pages look: a row for a tenant, whose screener_id is empty, and one for each of its screeners
-- that looks otherwise. What is not said is NULL.
CREATE TABLE looks (
    tenant_id     TEXT COLLATE "C" NOT NULL REFERENCES tenants (id),
    screener_id   TEXT COLLATE "C" NOT NULL,
    display_name  TEXT COLLATE "C",
    logo_hash     TEXT COLLATE "C",
    accent_color  TEXT COLLATE "C",
    privacy_text  TEXT COLLATE "C",
    privacy_url   TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, screener_id),
    FOREIGN KEY (tenant_id, logo_hash) REFERENCES logos (tenant_id, hash)
);
