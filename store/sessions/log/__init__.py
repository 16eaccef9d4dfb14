"""One ordered log for each session: messages and transcript segments, written, read and previewed."""
