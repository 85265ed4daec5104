-- warn: the field list of the samples' exports was changed: only storage_product and clp_classification become product_name and risk_name in it
-- hint: Look at the list after the upgrade.
select dataset_type_id, dataset_type_name, fields
from col.dataset_type
where (dataset_type_id = 1 or dataset_type_name = 'sample')
  and replace(fields::text, '"trashed,campaign_id"', '"trashed","campaign_id"')::jsonb <> '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed","campaign_id","campaign_name","campaign_uuid"]'
order by dataset_type_id;

-- warn: a column of an export template names a column that becomes a table: it will be empty
-- hint: Replace storage_product by product_name and clp_classification by risk_name after the upgrade.
select dataset_column_id, dataset_template_id, column_name, export_name
from col.dataset_column
where column_name in ('storage_product', 'clp_classification')
order by dataset_column_id;

-- warn: a request names a column that becomes a table: it will fail
-- hint: Join the tables product and risk in it after the upgrade.
select request_id, title, login, body
from col.request
where body ~* '\m(storage_product|clp_classification)\M'
order by request_id;
