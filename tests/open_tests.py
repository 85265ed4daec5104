"""Tests that were right for a chain that ended at 1.1, each with what is missing.

They run, and are reported as `xfailed`, or as `xpassed` when they are right again: the list has to
empty. A test that is not named here may not fail.
"""

OPEN: dict[str, str] = {}
