"""What a session leaves behind: its recording and the plan that it is built from, its transcript, its summary."""
