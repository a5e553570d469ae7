"""Work that outlives an interruption."""
