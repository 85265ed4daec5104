"""What a database is: its version by structure, and how that agrees with what it says."""
