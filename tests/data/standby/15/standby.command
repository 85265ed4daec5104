/bin/pg_basebackup
--no-password
-d
host=db1.lab.example port=5433 user=rep application_name=db2 passfile='/var/lib/postgresql/it\'s a \\ file' sslmode=verify-full channel_binding=require keepalives_idle=20 keepalives_interval=10 keepalives_count=3
-D
/srv/b.partial
-X
stream
-c
fast
--slot=db2_slot
--manifest-checksums=CRC32C
