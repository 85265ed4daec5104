-- Another application of the site that shares the schema of rights.
select id as aclappli_id, 'archives' || id as appli, 'Catalogue of the archives' as applidetail
from made
