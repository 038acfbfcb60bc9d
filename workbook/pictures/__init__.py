"""Tables, changes and history as pictures."""
