-- What a room remembers: who learns here, what their checks said, whose hand is up.
-- classroom/server.py runs this as the room's owner, a role that nobody can log in as, with the
-- exercises that there are in place of EXERCISES.
--
-- Learners reach nothing here but the functions report and hand, which act for session_user:
-- nobody can change that one. Teachers read the views. Both are granted by server.py.

CREATE TABLE IF NOT EXISTS room.learners (
    role name PRIMARY KEY,
    username text NOT NULL,  -- the one that JupyterHub knows
    allowance real NOT NULL DEFAULT 60,  -- reports and hands that may still be sent
    counted timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE IF NOT EXISTS room.reports (
    role name NOT NULL REFERENCES room.learners,
    id uuid NOT NULL,  -- the learner's side gives it, so that a second delivery changes nothing
    at timestamptz NOT NULL,
    exercise text NOT NULL CHECK (exercise ~ '^[0-9]{1,2}\.[0-9]{1,2}$'),
    chapter integer NOT NULL GENERATED ALWAYS AS (split_part(exercise, '.', 1)::integer) STORED,
    outcome text NOT NULL CHECK (outcome IN ('not attempted', 'not yet', 'mistake', 'done')),
    mistake text,
    PRIMARY KEY (role, id),
    CHECK ((outcome = 'mistake') = (mistake IS NOT NULL))
);
-- It comes from a learner: one line that can be read, nothing that turns the direction of writing
-- or has no width. The board escapes what a page would take for markup, the export what a
-- spreadsheet would take for a formula.
ALTER TABLE room.reports DROP CONSTRAINT IF EXISTS reports_mistake_check;
ALTER TABLE room.reports ADD CONSTRAINT reports_mistake_check CHECK (
    mistake ~ '^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u058f\u2010-\u2027\u2030-\u205e\u2190-\u21ff]{1,100}$'
    AND mistake ~ '[^ ]'
);
CREATE INDEX IF NOT EXISTS reports_role_at ON room.reports (role, at);

CREATE TABLE IF NOT EXISTS room.hands (
    role name PRIMARY KEY REFERENCES room.learners,
    since timestamptz NOT NULL
);

-- Sixty at once, for those who come back after a while without network; then one in two seconds.
CREATE OR REPLACE FUNCTION room.spend() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE room.learners
    SET allowance = least(60, allowance + extract(epoch FROM clock_timestamp() - counted) / 2) - 1,
        counted = clock_timestamp()
    WHERE role = session_user
        AND least(60, allowance + extract(epoch FROM clock_timestamp() - counted) / 2) >= 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'too many reports: wait a moment' USING ERRCODE = '53400';
    END IF;
END $$;

-- One check's outcome. What is not of the right form raises; the texts are short before they are
-- looked at, and never repeated in the error.
CREATE OR REPLACE FUNCTION room.report(
    id uuid, exercise text, outcome text, mistake text, seconds_ago double precision
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF octet_length(exercise) > 5 OR octet_length(outcome) > 20 OR octet_length(mistake) > 300 THEN
        RAISE EXCEPTION 'too long a text' USING ERRCODE = '22001';
    END IF;
    IF report.exercise <> ALL ('{EXERCISES}') THEN
        RAISE EXCEPTION 'no such exercise' USING ERRCODE = '22023';
    END IF;
    PERFORM room.spend();
    INSERT INTO room.reports (role, id, at, exercise, outcome, mistake) VALUES (
        session_user, report.id,
        clock_timestamp() - make_interval(secs => least(greatest(seconds_ago, 0), 7 * 86400)),
        report.exercise, report.outcome, report.mistake
    ) ON CONFLICT DO NOTHING;
END $$;

-- Raise a hand, or lower it. A hand that is up already keeps its place in the queue.
CREATE OR REPLACE FUNCTION room.hand(up boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM room.spend();
    IF up THEN
        INSERT INTO room.hands VALUES (session_user, clock_timestamp()) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM room.hands WHERE role = session_user;
    END IF;
END $$;

DROP FUNCTION IF EXISTS room.mistakes;
DROP VIEW IF EXISTS room.hands_up, room.exercises, room.whereabouts, room.results;

-- Every report, for the board's pictures and for the export.
CREATE VIEW room.results AS
SELECT username AS learner, chapter, exercise, outcome, mistake, at
FROM room.reports JOIN room.learners USING (role);

-- Who is where: each learner's last report, or nothing yet.
CREATE VIEW room.whereabouts AS
SELECT username AS learner, chapter, exercise, outcome, mistake, at
FROM room.learners LEFT JOIN LATERAL (
    SELECT * FROM room.reports WHERE reports.role = learners.role ORDER BY at DESC LIMIT 1
) AS latest ON true;

-- How each exercise goes: checks of something written; learners who are done, and who are not yet;
-- and those whose last report says that they are stuck in it now.
CREATE VIEW room.exercises AS
WITH each_learner AS (
    SELECT chapter, exercise, role, count(*) AS attempts, bool_or(outcome = 'done') AS done
    FROM room.reports WHERE outcome <> 'not attempted' GROUP BY chapter, exercise, role
)
SELECT chapter, exercise, sum(attempts)::bigint AS attempts,
    count(*) FILTER (WHERE done) AS done,
    count(*) FILTER (WHERE NOT done) AS not_there_yet,
    (SELECT count(*) FROM room.whereabouts
        WHERE whereabouts.exercise = each_learner.exercise
            AND outcome IN ('not yet', 'mistake')) AS held_up
FROM each_learner GROUP BY chapter, exercise;

-- Whose hand is up, the longest first, and what they are at.
CREATE VIEW room.hands_up AS
SELECT username AS learner, since, exercise
FROM room.hands JOIN room.learners USING (role)
    LEFT JOIN room.whereabouts ON whereabouts.learner = username
ORDER BY since;

-- The well-known mistakes of the last minutes: how many learners made each, and how often.
CREATE FUNCTION room.mistakes(minutes integer DEFAULT 15)
RETURNS TABLE (mistake text, exercise text, learners bigint, times bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT mistake, exercise, count(DISTINCT learner), count(*)
    FROM room.results
    WHERE mistake IS NOT NULL AND at > clock_timestamp() - make_interval(mins => minutes)
    GROUP BY 1, 2 ORDER BY 3 DESC, 4 DESC, 1, 2
$$;
