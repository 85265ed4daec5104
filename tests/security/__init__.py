"""What an attacker who owns the database, or a folder, cannot do."""
