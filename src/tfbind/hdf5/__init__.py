"""HDF5 files that may be damaged or hostile, and disks that may be full."""
