"""What users wait for, measured beside what they would take instead, in one run."""
