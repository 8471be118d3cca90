-- Why a researcher held that a participant does not qualify: a word, and a text for people.
ALTER TABLE submissions ADD COLUMN disqualification_reason TEXT COLLATE "C";
ALTER TABLE submissions ADD COLUMN disqualification_message TEXT COLLATE "C";
-- While the participant is invited: what cancelling the invitation leads back to.
ALTER TABLE submissions ADD COLUMN status_before_invite TEXT COLLATE "C";
