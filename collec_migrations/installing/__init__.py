"""From nothing to a working installation: decide every piece first, then make what is missing."""
