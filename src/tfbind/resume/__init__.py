"""Work that survives an interruption: one journal, and what three kinds of work keep in it."""
