-- A mark covers hours in a row: a batch of history touches thousands, and a mark of each costs as
-- much as a fifth of its rows.
ALTER TABLE kpi.dirty_hour ADD COLUMN hours int NOT NULL DEFAULT 1 CHECK (hours > 0);
