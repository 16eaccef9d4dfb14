"""What is due by time alone: sessions that waited or ran too long, lost workers, lost jobs, retention."""
