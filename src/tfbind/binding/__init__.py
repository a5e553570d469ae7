"""The binding wing: from tensors to trained, judged and applied models of transcription factor binding."""
