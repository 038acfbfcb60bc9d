"""The job board: companies and the jobs they offer, behind a small HTTP API."""
