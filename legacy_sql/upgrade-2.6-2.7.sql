-- Upgrade from 2.6 to 2.7: kinds of optical codes, documents kept outside the database.

create table col.barcode (
    barcode_id   serial not null,
    barcode_name varchar not null,
    barcode_code varchar not null default 'QR',
    constraint barcode_pk primary key (barcode_id)
);

comment on table col.barcode is
    'Kinds of optical codes that a label can carry.';
comment on column col.barcode.barcode_code is
    'Code by which the application chooses the generator.';

insert into col.barcode (barcode_id, barcode_name, barcode_code)
select known.id, known.name, known.code
from (values
          (1, 'QRCode', 'QR'),
          (2, 'EAN 128', 'C128')
     ) as known (id, name, code)
where not exists (select 1 from col.barcode as present where present.barcode_id = known.id);
select setval('col.barcode_barcode_id_seq', max(barcode_id))
from col.barcode
having max(barcode_id) >= (
    select last_value + is_called::int from col.barcode_barcode_id_seq
);

alter table col.label
    add column barcode_id integer not null default 1,
    add constraint barcode_fk
        foreign key (barcode_id) references col.barcode (barcode_id) match full
        on update cascade deferrable;

comment on column col.label.barcode_id is
    'Kind of the optical code on the label.';

-- A value of its own for each row is meant.
-- squawk-ignore adding-field-with-default
alter table col.campaign add column uuid uuid not null default gen_random_uuid();

comment on column col.campaign.uuid is
    'Identifier of the campaign in any database.';

alter table col.collection
    add column no_localization boolean not null default false,
    add column external_storage_enabled boolean not null default false,
    add column external_storage_root varchar;

comment on column col.collection.no_localization is
    'Samples of the collection have no geographical position.';
comment on column col.collection.external_storage_enabled is
    'Documents may be kept outside the database.';
comment on column col.collection.external_storage_root is
    'Folder of the documents kept outside the database.';

alter table col.container_type
    add column line_in_char boolean not null default false,
    add column column_in_char boolean not null default false;

comment on column col.container_type.line_in_char is
    'Lines are shown as letters.';
comment on column col.container_type.column_in_char is
    'Columns are shown as letters.';

alter table col.document
    add column external_storage boolean not null default false,
    add column external_storage_path varchar;

comment on column col.document.external_storage is
    'The file is kept outside the database.';
comment on column col.document.external_storage_path is
    'Where the file is, below the root of its collection.';

create index external_storage_path_idx on col.document (external_storage_path);
create index uid_idx on col.document (uid);

alter table col.referent add column referent_organization varchar;

alter table col.subsample
    add column borrower_id integer,
    add constraint borrower_fk
        foreign key (borrower_id) references col.borrower (borrower_id) match full
        on update cascade on delete set null deferrable;

comment on column col.subsample.borrower_id is
    'Who received what was taken.';

alter table col.request
    add column collection_id integer,
    add constraint collection_fk
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete set null deferrable;

comment on column col.request.collection_id is
    'Collection whose members may run the query; null for everybody.';
comment on column col.request.body is
    'The query, as SQL. The application runs it with its own search path.';

-- The application put the first word in front by itself until 2.6. A body that has it already,
-- after blanks and comments, is left: the pattern knows comments inside comments, one level deep.
update col.request
set body = 'SELECT ' || body
where body !~* '^([ \t\n\r\f\v]|--[^\n\r]*[\n\r]|/\*([^*/]|\*(?!/)|/(?!\*)|/\*([^*/]|\*(?!/)|/(?!\*))*\*/)*\*/)*(select|with)\M';

-- The list as it was becomes the new one. A list that a site changed gains the new fields at its end.
update col.dataset_type
set fields = case
        when fields::jsonb = '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed"]'
        then '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed","campaign_id","campaign_name","campaign_uuid"]'::json
        else (
            regexp_replace(fields::text, '\s*\]\s*$', '')
            || case when json_array_length(fields) > 0 then ',' else '' end
            || (select string_agg('"' || added.name || '"', ',' order by added.place)
                from (values (1, 'campaign_id'), (2, 'campaign_name'), (3, 'campaign_uuid')) as added (place, name)
                where not fields::jsonb @> to_json(added.name)::jsonb)
            || ']'
        )::json
    end
where dataset_type_id = 1
  and json_typeof(fields) = 'array'
  and not fields::jsonb @> '["campaign_id","campaign_name","campaign_uuid"]';

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.7', '2022-06-20');
