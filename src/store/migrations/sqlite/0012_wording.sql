-- What an author says around the questions, and of a pattern.
ALTER TABLE publications ADD COLUMN language TEXT;
ALTER TABLE publications ADD COLUMN introduction TEXT;
ALTER TABLE publications ADD COLUMN thanks_qualified TEXT;
ALTER TABLE publications ADD COLUMN thanks_disqualified TEXT;
ALTER TABLE questions ADD COLUMN pattern_hint TEXT;
