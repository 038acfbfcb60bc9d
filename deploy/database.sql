-- What an administrator runs once on a new server: who migrates, who serves, and their database.
-- Neither has a password yet: psql's \password sets one that no log and no file has seen.
CREATE ROLE jobboard_owner LOGIN;
CREATE ROLE jobboard_api LOGIN;

CREATE DATABASE jobboard OWNER jobboard_owner;
REVOKE ALL ON DATABASE jobboard FROM PUBLIC;
GRANT CONNECT ON DATABASE jobboard TO jobboard_api;
