-- What an author says around the questions, and of a pattern.
ALTER TABLE publications ADD COLUMN language TEXT COLLATE "C";
ALTER TABLE publications ADD COLUMN introduction TEXT COLLATE "C";
ALTER TABLE publications ADD COLUMN thanks_qualified TEXT COLLATE "C";
ALTER TABLE publications ADD COLUMN thanks_disqualified TEXT COLLATE "C";
ALTER TABLE questions ADD COLUMN pattern_hint TEXT COLLATE "C";
