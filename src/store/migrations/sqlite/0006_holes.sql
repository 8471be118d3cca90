-- How many rows have left a list in a scope. `total` goes on counting every row that has arrived.
ALTER TABLE list_totals ADD COLUMN holes INTEGER NOT NULL DEFAULT 0;

-- How many of them fall on each block of ordinals of the scope: 128 ordinals on level 1, 128 times
-- as many on each level above. A block that none has left has no row.
CREATE TABLE list_holes (
    tenant_id TEXT    NOT NULL,
    list      TEXT    NOT NULL,
    scope     TEXT    NOT NULL,
    scope_id  TEXT    NOT NULL,
    level     INTEGER NOT NULL,
    block     INTEGER NOT NULL,
    holes     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, list, scope, scope_id, level, block)
) STRICT;
