-- Downgrade from 2.4 to 2.3. With PostGIS, after downgrade-2.4-2.3-postgis.sql.

drop table col.export_model;
drop sequence col.export_model_export_model_id_seq;
drop table col.request;
drop sequence col.request_request_id_seq;

drop view col.slots_used;

alter table col.object
    drop column change_date,
    drop column uuid,
    drop column trashed,
    drop column location_accuracy;

-- Version 2.3 has no documents without an object. The view last_photo stays: the rows are the same.
delete from col.document where uid is null;

alter table col.document
    -- The older version requires it; the table is read once.
    -- squawk-ignore adding-not-nullable-field
    alter column uid set not null,
    drop column campaign_id;

comment on column col.document.uid is null;

alter table col.sample drop column campaign_id;
alter table col.sample_type drop column sample_type_description;

alter table col.container_type
    drop column nb_slots_max,
    drop column first_column;

alter table col.collection
    drop column allowed_import_flow,
    drop column allowed_export_flow,
    drop column public_collection;

drop table col.campaign_regulation;
drop table col.campaign;
drop sequence col.campaign_campaign_id_seq;
drop table col.regulation;
drop sequence col.regulation_regulation_id_seq;

alter table col.borrower
    drop column laboratory_code,
    drop column borrower_mail;

alter table col.collection_group
    rename constraint group_projet_aclgroup_fk to aclgroup_projet_group_fk;
alter table col.collection_group rename constraint projet_group_pk to project_group_pk;

create view col.aclgroup as
select aclgroup_id, groupe, aclgroup_id_parent
from gacl.aclgroup;

comment on view col.aclgroup is
    'Groups of the rights schema, for screens that work on the data schema alone.';

drop index gacl.log_module_idx;
drop index gacl.log_ip_idx;
drop index gacl.log_commentaire_idx;
drop index gacl.logingestion_login_idx;

update gacl.logingestion set is_clientws = false where is_clientws is null;

-- A text that is too long stops the script.
alter table gacl.logingestion
    drop column is_expired,
    -- The older version requires it; the table is read once.
    -- squawk-ignore adding-not-nullable-field
    alter column is_clientws set not null,
    alter column datemodif type date,
    alter column prenom type varchar(32),
    alter column nom type varchar(32),
    alter column password type varchar(255),
    alter column login type varchar(32);

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.3', '2019-08-14'
where not exists (select 1 from col.dbversion where dbversion_number = '2.3');

delete from col.dbversion where dbversion_number = '2.4';
