"""From a transcript to its summary: an embedded extractive summarizer, or any OpenAI-compatible chat endpoint."""
