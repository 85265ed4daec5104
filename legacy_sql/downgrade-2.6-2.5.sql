-- Downgrade from 2.6 to 2.5.

drop view col.v_subsample_quantity;

alter table col.sample drop column country_origin_id;
alter table col.dataset_column drop column search_order;

-- A list that a site changed keeps the fields.
update col.dataset_type
set fields = '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value"]'
where dataset_type_id = 1
  and fields::jsonb = '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed"]';

delete from col.dbparam where dbparam_name = 'otp_issuer';
-- The older version has no default.
-- squawk-ignore ban-drop-default
alter table col.dbparam alter column dbparam_id drop default;
drop sequence col.dbparam_dbparam_id_seq;

drop index gacl.acllogin_login_idx;
alter table gacl.acllogin drop column totp_key;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.5', '2020-11-16'
where not exists (select 1 from col.dbversion where dbversion_number = '2.5');

delete from col.dbversion where dbversion_number = '2.6';
