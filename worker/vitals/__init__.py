"""What the processes of a worker tell their supervisor: that they live, and what they do."""
