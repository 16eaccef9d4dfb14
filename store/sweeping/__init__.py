"""What happens by itself once it is due: sessions that waited or ran too long, lost workers, lost jobs, retention."""
