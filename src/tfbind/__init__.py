"""Where transcription factors bind and how fast genomes recombine, read by recurrent networks."""

__version__ = "0.1.0"
