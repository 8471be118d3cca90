-- Whether the page saved an answer by itself, before the participant went on: it is overwritten and
-- leaves no earlier answer.
ALTER TABLE responses ADD COLUMN provisional BIGINT NOT NULL DEFAULT 0;

-- Answers that were replaced, or dropped because the path no longer reached their question.
CREATE TABLE earlier_responses (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    seq         BIGINT           NOT NULL,
    session_id  TEXT COLLATE "C" NOT NULL,
    question_id TEXT COLLATE "C" NOT NULL,
    at          BIGINT           NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    text        TEXT COLLATE "C",
    number      DOUBLE PRECISION,
    choices     TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, seq),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, id)
);

CREATE INDEX earlier_responses_by_session ON earlier_responses (tenant_id, session_id, seq);

-- Until now they stood in the audit log, as text: the texts of several choices with a separator of
-- two characters between them, of which chr(59) is the first. A list that does not come apart into
-- options of the question stays together as one choice.
INSERT INTO earlier_responses
    (tenant_id, seq, session_id, question_id, at, reason, text, number, choices)
WITH moved AS (
    SELECT c.tenant_id,
        ROW_NUMBER() OVER (PARTITION BY c.tenant_id ORDER BY c.seq, f.place) - 1 AS seq,
        s.id AS session_id, s.publication_id, q.id AS question_id, q.kind, c.at,
        f.value ->> 'before' AS told,
        CASE WHEN f.value ->> 'after' IS NULL AND NOT EXISTS (
            -- To leave a question out is also an answer, and replaces the one before it.
            SELECT 1 FROM responses r
            WHERE r.tenant_id = s.tenant_id AND r.session_id = s.id AND r.question_id = q.id
                AND r.text IS NULL AND r.number IS NULL AND r.choices IS NULL
        ) THEN 'DROPPED' ELSE 'REPLACED' END AS reason
    FROM changes c
    CROSS JOIN LATERAL json_array_elements(c.fields::json) WITH ORDINALITY AS f (value, place)
    JOIN sessions s ON s.tenant_id = c.tenant_id AND s.id = c.subject_id
    JOIN questions q ON q.tenant_id = s.tenant_id AND q.publication_id = s.publication_id
        AND 'answers.' || q.id = f.value ->> 'name'
    WHERE c.subject = 'SESSION'
        AND COALESCE(f.value ->> 'before', f.value ->> 'after') IS NOT NULL
), pieces AS (
    SELECT m.tenant_id, m.seq, m.publication_id, m.question_id, p.place, p.piece
    FROM moved m
    CROSS JOIN LATERAL unnest(
        CASE WHEN m.kind = 'SINGLE_SELECT' OR EXISTS (
            SELECT 1 FROM options o
            WHERE o.tenant_id = m.tenant_id AND o.publication_id = m.publication_id
                AND o.question_id = m.question_id AND o.text = m.told
        ) THEN ARRAY[m.told]
        ELSE string_to_array(m.told, chr(59) || ' ') END
    ) WITH ORDINALITY AS p (piece, place)
    WHERE m.kind IN ('SINGLE_SELECT', 'MULTI_SELECT') AND m.told <> ''
), chosen AS (
    SELECT p.tenant_id, p.seq, p.place, p.piece, o.id,
        CASE WHEN o.text <> p.piece THEN substr(p.piece, length(o.text) + 3) END AS write_in
    FROM pieces p
    LEFT JOIN options o ON o.tenant_id = p.tenant_id AND o.publication_id = p.publication_id
        AND o.question_id = p.question_id AND o.id = (
            SELECT b.id FROM options b
            WHERE b.tenant_id = p.tenant_id AND b.publication_id = p.publication_id
                AND b.question_id = p.question_id AND (b.text = p.piece OR (b.write_in = 1
                AND substr(p.piece, 1, length(b.text) + 2) = b.text || ': '))
            ORDER BY length(b.text) DESC, b.position LIMIT 1
        )
), lists AS (
    SELECT tenant_id, seq, COUNT(*) = COUNT(id) AS is_whole,
        json_agg(
            json_build_object('option', id, 'text', piece, 'write_in', write_in) ORDER BY place
        )::text AS choices
    FROM chosen GROUP BY tenant_id, seq
)
SELECT m.tenant_id, m.seq, m.session_id, m.question_id, m.at, m.reason,
    CASE WHEN m.kind NOT IN ('NUMERIC', 'SINGLE_SELECT', 'MULTI_SELECT') THEN m.told END,
    CASE WHEN m.kind = 'NUMERIC' THEN CAST(m.told AS DOUBLE PRECISION) END,
    CASE WHEN m.kind NOT IN ('SINGLE_SELECT', 'MULTI_SELECT') THEN NULL
        WHEN m.told = '' THEN '[]'
        WHEN l.is_whole THEN l.choices
        WHEN m.told IS NOT NULL THEN (
            SELECT json_build_array(json_build_object('option', o.id, 'text', m.told,
                'write_in', CASE WHEN o.write_in = 1 THEN m.told END))::text
            FROM options o
            WHERE o.tenant_id = m.tenant_id AND o.publication_id = m.publication_id
                AND o.question_id = m.question_id
            ORDER BY o.write_in DESC, o.position LIMIT 1
        )
    END
FROM moved m
LEFT JOIN lists l ON l.tenant_id = m.tenant_id AND l.seq = m.seq;

INSERT INTO list_totals (tenant_id, list, scope, scope_id, total)
SELECT tenant_id, 'earlier_responses', 'tenant', '', COUNT(*)
FROM earlier_responses GROUP BY tenant_id;

-- The audit log goes on naming the questions.
UPDATE changes SET fields = (
    SELECT '[' || string_agg(
        CASE WHEN f.value ->> 'name' LIKE 'answers.%'
            THEN '{"name":' || to_json(f.value ->> 'name')::text || '}' ELSE f.value::text END,
        ',' ORDER BY f.place
    ) || ']'
    FROM json_array_elements(changes.fields::json) WITH ORDINALITY AS f (value, place)
)
WHERE subject = 'SESSION' AND EXISTS (
    SELECT 1 FROM json_array_elements(changes.fields::json) AS f (value)
    WHERE f.value ->> 'name' LIKE 'answers.%'
        AND COALESCE(f.value ->> 'before', f.value ->> 'after') IS NOT NULL
);
