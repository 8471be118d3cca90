-- An entry of the audit log says field by field what changed, as a JSON list of objects with a name,
-- and with what it was and what it became where that is told.
ALTER TABLE changes ADD COLUMN fields TEXT COLLATE "C" NOT NULL DEFAULT '[]';

-- Entries from before have one word for the state before and one for the state after, and none for
-- what was not so. First the words become the values of the field that they are about.
UPDATE changes SET
    state_before = CASE WHEN state_before IS NULL THEN 'false' ELSE 'true' END,
    state_after = CASE WHEN state_after IS NULL THEN 'false' ELSE 'true' END
WHERE action IN ('HIDE', 'UNHIDE', 'FAVORITE');

UPDATE changes SET
    state_before = CASE state_before WHEN 'QUALIFIED' THEN 'true' WHEN 'DISQUALIFIED' THEN 'false' END,
    state_after = CASE state_after WHEN 'QUALIFIED' THEN 'true' WHEN 'DISQUALIFIED' THEN 'false' END
WHERE action IN ('QUALIFY', 'DISQUALIFY');

-- Nothing in such a word needs an escape.
UPDATE changes SET fields = '[{"name":"'
    || CASE
        WHEN action IN ('HIDE', 'UNHIDE') THEN 'hidden'
        WHEN action = 'FAVORITE' THEN 'favorite'
        WHEN action IN ('QUALIFY', 'DISQUALIFY') THEN 'qualified_override'
        WHEN action IN ('REPORT', 'SET_VISIBILITY') THEN 'visibility'
        WHEN subject = 'PARTICIPANT' THEN 'id_verification'
        ELSE 'status'
    END
    || '"' || COALESCE(',"before":"' || state_before || '"', '')
    || COALESCE(',"after":"' || state_after || '"', '')
    || '}]'
WHERE COALESCE(state_before, '') <> COALESCE(state_after, '');

ALTER TABLE changes DROP COLUMN state_before;
ALTER TABLE changes DROP COLUMN state_after;
