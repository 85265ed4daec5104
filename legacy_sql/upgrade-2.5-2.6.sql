-- Upgrade from 2.5 to 2.6: logins in lower case, second factor, country of origin.

-- Only the two tables by which the application checks who comes in: what is recorded stays as typed.
update gacl.logingestion set login = lower(login) where login <> lower(login);
update gacl.acllogin set login = lower(login) where login <> lower(login);

alter table gacl.acllogin add column totp_key varchar;

comment on column gacl.acllogin.totp_key is
    'Key of the second factor; null without one.';

create unique index acllogin_login_idx on gacl.acllogin (login);

create sequence col.dbparam_dbparam_id_seq;

alter table col.dbparam
    alter column dbparam_id set default nextval('col.dbparam_dbparam_id_seq');

select setval('col.dbparam_dbparam_id_seq', max(dbparam_id))
from col.dbparam
having max(dbparam_id) > 0;

insert into col.dbparam (dbparam_name, dbparam_value)
select 'otp_issuer', 'collec-science'
where not exists (select 1 from col.dbparam where dbparam_name = 'otp_issuer');

update col.object set trashed = false where trashed is null;

-- The list as it was becomes the new one. A list that a site changed gains the new fields at its end.
update col.dataset_type
set fields = case
        when fields::jsonb = '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value"]'
        then '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed"]'::json
        else (
            regexp_replace(fields::text, '\s*\]\s*$', '')
            || case when json_array_length(fields) > 0 then ',' else '' end
            || (select string_agg('"' || added.name || '"', ',' order by added.place)
                from (values (1, 'metadata_unit'), (2, 'country_code'), (3, 'country_origin_code'), (4, 'trashed')) as added (place, name)
                where not fields::jsonb @> to_json(added.name)::jsonb)
            || ']'
        )::json
    end
where dataset_type_id = 1
  and json_typeof(fields) = 'array'
  and not fields::jsonb @> '["metadata_unit","country_code","country_origin_code","trashed"]';

alter table col.dataset_column add column search_order smallint;

comment on column col.dataset_column.search_order is
    'Rank among the columns by which an import looks for the object; null when it does not.';

alter table col.sample
    add column country_origin_id integer,
    add constraint country_fk1
        foreign key (country_origin_id) references col.country (country_id) match full
        on update cascade on delete set null deferrable;

comment on column col.sample.country_origin_id is
    'Country that the sample comes from.';

create view col.v_subsample_quantity as
select divided.sample_id,
       divided.uid,
       divided.multiple_value,
       coalesce(sum(part.subsample_quantity) filter (where part.movement_type_id = 1), 0)
           as subsample_more,
       coalesce(sum(part.subsample_quantity) filter (where part.movement_type_id = 2), 0)
           as subsample_less
from col.sample as divided
left join col.subsample as part on part.sample_id = divided.sample_id
group by divided.sample_id, divided.uid, divided.multiple_value;

comment on view col.v_subsample_quantity is
    'Quantities put back into each sample and taken from it.';

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.6', '2021-04-16');
