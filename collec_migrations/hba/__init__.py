"""The server's access rules (`pg_hba.conf`): read, judge by the first match, change on trial."""
