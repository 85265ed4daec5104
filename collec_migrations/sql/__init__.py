"""A script: its statements, the names bound in it, whose schema it changes."""
