"""The command line: parse, call one function, render, exit."""

from collec_migrations.cli.main import main

__all__ = ["main"]
