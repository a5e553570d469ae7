"""From simulated regions to a network of rates, and the calibration of its intervals."""
