"""PostgreSQL: connections, servers, programs, configuration files, what differs by major."""
