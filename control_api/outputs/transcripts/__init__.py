"""Transcripts (JSON, WebVTT, SubRip, text) and summaries over HTTP. They are made by a worker's speech process."""
