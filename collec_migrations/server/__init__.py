"""An embedded or throwaway PostgreSQL server, started by us and reached by a unix socket."""
