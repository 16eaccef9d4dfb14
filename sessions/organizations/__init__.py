"""What an organization's keys may do, and how much and how fast it may ask."""
