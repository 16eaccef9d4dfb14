"""Transcripts and summaries over HTTP, in every format. They are written by the speech process of a worker."""
