"""Backups that can be restored: taken, listed, verified by a trial restore, kept and removed."""
