"""Try an upgrade on a copy, and tell how it went; the source is only read."""
