-- WAL files that wait to be archived, and since when the oldest does, in seconds (12)
select count(*), extract(epoch from now() - min(modification))::float8
from pg_ls_archive_statusdir()
where name like '%.ready'
