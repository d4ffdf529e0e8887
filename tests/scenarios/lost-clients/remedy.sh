# Whoever starts workers waits for their end.
signal=none
