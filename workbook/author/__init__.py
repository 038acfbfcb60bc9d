"""What authors and presenters run."""
