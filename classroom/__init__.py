"""What a teacher needs for a room: JupyterHub, one PostgreSQL, and commands of ours for both."""
