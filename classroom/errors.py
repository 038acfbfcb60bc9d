"""What goes wrong in a room and can be put right; apart, so that it needs no package to be there."""


class RoomError(Exception):
    """Something that whoever prepares the room can put right: one line."""
