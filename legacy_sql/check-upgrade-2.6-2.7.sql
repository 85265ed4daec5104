-- warn: the field list of the samples' exports was changed: it gains campaign_id, campaign_name and campaign_uuid at its end
-- hint: Look at the list after the upgrade.
select dataset_type_id, dataset_type_name, fields
from col.dataset_type
where dataset_type_id = 1
  and fields::jsonb <> '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed"]';
