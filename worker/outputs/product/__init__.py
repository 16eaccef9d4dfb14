"""From stored segments to the product (`conversation.wav` and `recording.json`): the finalize job. It joins no room."""
