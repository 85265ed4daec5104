-- stop: accounts have the same login, except for capitals
-- hint: Rename or delete all but one of these accounts in logingestion.
select id, login, nom, prenom, datemodif
from gacl.logingestion
where lower(login) in (
    select lower(login) from gacl.logingestion group by lower(login) having count(*) > 1
)
order by lower(login), id;

-- stop: users of the rights schema have the same login, except for capitals
-- hint: Give the groups of these users to one of them, in acllogingroup, then rename or delete the others in acllogin.
select acllogin_id, login, logindetail
from gacl.acllogin
where lower(login) in (
    select lower(login) from gacl.acllogin group by lower(login) having count(*) > 1
)
order by lower(login), acllogin_id;

-- warn: an account cannot log in after the upgrade: its old password was made with the capitals of its login
-- hint: Set a new password for the account after the upgrade.
select id, login, nom, prenom
from gacl.logingestion
where login <> lower(login)
  and password ~ '^[0-9a-fA-F]{64}$'
order by id;

-- warn: a login has capitals outside ASCII: PostgreSQL writes them in lower case, the application does not
-- hint: Give the account a login without accents after the upgrade.
select 'logingestion' as login_table, id, login
from gacl.logingestion
where lower(login) <> translate(login, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
union all
select 'acllogin', acllogin_id, login
from gacl.acllogin
where lower(login) <> translate(login, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
order by login_table desc, id;

-- warn: the field list of the samples' exports was changed: it gains metadata_unit, country_code, country_origin_code and trashed at its end
-- hint: Look at the list after the upgrade.
select dataset_type_id, dataset_type_name, fields
from col.dataset_type
where dataset_type_id = 1
  and fields::jsonb <> '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value"]';
