-- How many rows have left a list in a scope. `total` goes on counting every row that has arrived.
ALTER TABLE list_totals ADD COLUMN holes BIGINT NOT NULL DEFAULT 0;

-- How many of them fall on each block of ordinals of the scope: 128 ordinals on level 1, 128 times
-- as many on each level above. A block that none has left has no row.
CREATE TABLE list_holes (
    tenant_id TEXT COLLATE "C" NOT NULL,
    list      TEXT COLLATE "C" NOT NULL,
    scope     TEXT COLLATE "C" NOT NULL,
    scope_id  TEXT COLLATE "C" NOT NULL,
    level     BIGINT           NOT NULL,
    block     BIGINT           NOT NULL,
    holes     BIGINT           NOT NULL,
    PRIMARY KEY (tenant_id, list, scope, scope_id, level, block)
);
