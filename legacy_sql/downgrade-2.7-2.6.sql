-- Downgrade from 2.7 to 2.6.

-- A list that a site changed keeps the fields.
update col.dataset_type
set fields = '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed"]'
where dataset_type_id = 1
  and fields::jsonb = '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed","campaign_id","campaign_name","campaign_uuid"]';

-- The application puts the first word in front by itself again.
update col.request
set body = substr(body, 8)
where left(body, 7) = 'SELECT ';

comment on column col.request.body is
    'The query, as SQL, without its first word SELECT. The application runs it with its own search path.';

alter table col.request drop column collection_id;
alter table col.subsample drop column borrower_id;
alter table col.referent drop column referent_organization;

drop index col.uid_idx;

alter table col.document
    drop column external_storage,
    drop column external_storage_path;

alter table col.container_type
    drop column line_in_char,
    drop column column_in_char;

alter table col.collection
    drop column no_localization,
    drop column external_storage_enabled,
    drop column external_storage_root;

alter table col.campaign drop column uuid;
alter table col.label drop column barcode_id;
drop table col.barcode;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.6', '2021-04-16'
where not exists (select 1 from col.dbversion where dbversion_number = '2.6');

delete from col.dbversion where dbversion_number = '2.7';
