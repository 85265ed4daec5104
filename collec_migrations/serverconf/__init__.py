"""The server's settings (`postgresql.conf`): write some of them safely."""
