"""Try every way through the chain of versions on throwaway servers: `test-paths`."""
