"""What the exercises of this chapter share."""
