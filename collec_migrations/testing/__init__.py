"""The pytest plugin: a throwaway server, and databases of any version of the chain on it.

pytest loads `plugin` in every project of the environment: that module imports nothing but pytest.
"""
