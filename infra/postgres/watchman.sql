-- The watchman's own login. Run once, by the owner of the tables, after `triage migrate`:
--   psql "$ADMIN_URL" --variable=password="'$(openssl rand -hex 24)'" --file=infra/postgres/watchman.sql
-- It reads when loops turned and which EMERGENT case nobody heard of: no name, no finding, no text.
-- It writes one row, its own stamp; with another's it could hide that a loop stands still.
CREATE ROLE triage_watch LOGIN PASSWORD :password CONNECTION LIMIT 10;
GRANT SELECT (case_id, tier, state, is_emergent, lead_case_id, unacknowledged_since)
    ON cases TO triage_watch;
GRANT SELECT (page, case_id, is_emergent, status, ordered_at, settled_at, withdrawn)
    ON page TO triage_watch;
GRANT SELECT, INSERT, UPDATE ON loop_progress TO triage_watch;
ALTER TABLE loop_progress ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON loop_progress FOR SELECT USING (true);
CREATE POLICY watchman_stamps_itself ON loop_progress FOR ALL
    USING (current_user <> 'triage_watch' OR loop = 'watch')
    WITH CHECK (current_user <> 'triage_watch' OR loop = 'watch');
