-- What came with the time of a booking.
ALTER TABLE submissions ADD COLUMN timezone TEXT;
ALTER TABLE submissions ADD COLUMN booking_url TEXT;
ALTER TABLE submissions ADD COLUMN cancel_url TEXT;
-- Why a researcher reported the participant: words, separated by commas as those of
-- disqualification_reason are from now on, and a text for people.
ALTER TABLE submissions ADD COLUMN report_reasons TEXT;
ALTER TABLE submissions ADD COLUMN report_message TEXT;
