"""A recombination map as a value, and the formats that it comes in and goes out as."""
