"""Recordings over HTTP: their state and facts, signed links to the audio, and the files behind the links.

`conversation.wav` is built by a worker; where object storage signs links itself (S3), it also serves the file.
"""
