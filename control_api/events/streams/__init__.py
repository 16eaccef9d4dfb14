"""Answers that go on: events as they happen, and what is said meanwhile. They read what others have written."""
