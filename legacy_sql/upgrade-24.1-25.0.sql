-- Upgrade from 24.1 to 25.0: unique parameters, samples made from subsamples, the right manage.

update gacl.aclaco set aco = 'manage' where aco = 'gestion';
update gacl.aclgroup set groupe = 'manage' where groupe = 'gestion';

alter table gacl.acllogin add column email varchar;

comment on column gacl.acllogin.email is
    'Address to which the application writes.';

alter table gacl.log alter column login type varchar;

create unique index dbparamname_idx on col.dbparam (dbparam_name);

insert into col.dbparam (
    dbparam_name, dbparam_value, dbparam_description, dbparam_description_en
)
select 'APPLI_code', 'code',
       'Code de l''application, pour les exportations',
       'Code of the application, to export data'
where not exists (select 1 from col.dbparam where dbparam_name = 'APPLI_code');

alter table col.borrowing add column borrowing_comment varchar;

comment on column col.borrowing.borrowing_comment is
    'Remarks on the borrowing.';

alter table col.container_type add column nbobject_by_slot integer default 0;

comment on column col.container_type.nbobject_by_slot is
    'Number of objects that a slot holds at most; 0 for no limit.';

alter table col.sample_type add column sample_type_code varchar;

comment on column col.sample_type.sample_type_code is
    'Code of the type, for generated identifiers.';

alter table col.subsample
    add column createdsample_id integer,
    add constraint sample_id
        foreign key (createdsample_id) references col.sample (sample_id) match full
        on update cascade on delete set null;

comment on column col.subsample.createdsample_id is
    'Sample that was made of the subsample.';

create index subsample_createdsample_id_idx on col.subsample (createdsample_id);

create view col.v_sample_parents as
select taken.createdsample_id as sample_id,
       array_to_string(
           array_agg(source.uid::text || ' ' || source.identifier order by source.uid), ', '
       ) as sample_parents
from col.subsample as taken
join col.sample as parent on parent.sample_id = taken.sample_id
join col.object as source on source.uid = parent.uid
group by taken.createdsample_id;

comment on view col.v_sample_parents is
    'Samples whose subsamples made a sample, on one line, as uid identifier, uid identifier.';

-- Databases that installers of 24 made lack these rows. The sequences go first, so that they
-- give none of the ids that the rows below have. An id that is taken is not used again.
select setval('col.dataset_type_dataset_type_id_seq', greatest(max(dataset_type_id), 4))
from col.dataset_type
having greatest(max(dataset_type_id), 4) >= (
    select last_value + is_called::int from col.dataset_type_dataset_type_id_seq
);
select setval('col.export_model_export_model_id_seq', greatest(max(export_model_id), 2))
from col.export_model
having greatest(max(export_model_id), 2) >= (
    select last_value + is_called::int from col.export_model_export_model_id_seq
);
select setval('col.mime_type_mime_type_id_seq', max(mime_type_id))
from col.mime_type
having max(mime_type_id) >= (
    select last_value + is_called::int from col.mime_type_mime_type_id_seq
);

insert into col.dataset_type (dataset_type_id, dataset_type_name, fields)
select case when exists (
                     select 1 from col.dataset_type as taken where taken.dataset_type_id = known.id
                 )
            then nextval('col.dataset_type_dataset_type_id_seq')
            else known.id
       end,
       known.name,
       known.fields::json
from (values
          (1, 'sample',
           '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","metadata_unit","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value","country_code","country_origin_code","trashed","campaign_id","campaign_name","campaign_uuid"]'),
          (2, 'collection',
           '["collection_name","collection_displayname","collection_keywords","referent_name","referent_firstname","academical_directory","academical_link","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","fixed_value"]'),
          (3, 'document',
           '["document_name","document_uuid","uid","sample_uuid","identifier","content_type","extension","size","document_creation_date","fixed_value", "web_address"]'),
          (4, 'arbitrary content',
           '["content"]')
     ) as known (id, name, fields)
where not exists (
    select 1 from col.dataset_type as present where present.dataset_type_name = known.name
)
order by known.id;

insert into col.export_model (export_model_id, export_model_name, pattern)
select case when exists (
                     select 1 from col.export_model as taken where taken.export_model_id = known.id
                 )
            then nextval('col.export_model_export_model_id_seq')
            else known.id
       end,
       known.name,
       known.pattern::json
from (values
          (1, 'export_model',
           '[{"tableName":"export_model","businessKey":"export_model_name","istable11":false,"children":[],"booleanFields":[],"istablenn":false}]'),
          (2, 'export_template',
           '[{"tableName":"export_template","technicalKey":"export_template_id","isEmpty":false,"businessKey":"export_template_name","istable11":false,"children":[{"aliasName":"export_dataset","isStrict":true}],"parents":[],"istablenn":false},{"tableName":"export_dataset","isEmpty":false,"parentKey":"export_template_id","istable11":false,"children":[],"parents":[{"aliasName":"dataset_template","fieldName":"dataset_template_id"}],"istablenn":true,"tablenn":{"secondaryParentKey":"dataset_template_id","tableAlias":"dataset_template"}},{"tableName":"dataset_template","technicalKey":"dataset_template_id","isEmpty":true,"businessKey":"dataset_template_name","istable11":false,"children":[{"aliasName":"dataset_column","isStrict":true}],"parents":[],"istablenn":false},{"tableName":"dataset_column","technicalKey":"dataset_column_id","isEmpty":false,"parentKey":"dataset_template_id","istable11":false,"children":[],"parents":[{"aliasName":"translator","fieldName":"translator_id"}],"istablenn":false},{"tableName":"translator","technicalKey":"translator_id","isEmpty":true,"businessKey":"translator_name","istable11":false,"children":[],"parents":[],"istablenn":false}]')
     ) as known (id, name, pattern)
where not exists (
    select 1 from col.export_model as present where present.export_model_name = known.name
)
order by known.id;

-- The application's own script made these two items one.
update col.dataset_type
set fields = replace(fields::text, '"trashed,campaign_id"', '"trashed","campaign_id"')::json
where fields::text like '%"trashed,campaign\_id"%';

insert into col.dbversion (dbversion_number, dbversion_date) values ('25.0', '2024-09-18');
