-- What jobboard_owner runs once in that database, after the first `alembic upgrade head`.
GRANT USAGE ON SCHEMA public TO jobboard_api;

-- the tables that are there
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO jobboard_api;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO jobboard_api;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM jobboard_api;

-- those that later migrations make
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO jobboard_api;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO jobboard_api;
