"""From stored segments to the finished recording: the finalize job. It hears no room."""
