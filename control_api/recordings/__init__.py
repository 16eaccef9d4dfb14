"""Recordings over HTTP: their documents, and signed links to the audio. The files are in object storage."""
