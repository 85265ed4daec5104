"""The application's own later scripts: read, screened, corrected, ready to be run. Pure."""
