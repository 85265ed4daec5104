"""From nothing to a working installation; the settings of the application."""
