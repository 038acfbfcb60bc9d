"""The exercises on heads, branches and stamps."""
