-- Downgrade from 24.1 to 24.0.

-- Not there where referents have the same name.
drop index if exists col.referent_referent_name_idx;
drop index col.object_change_date_idx;

alter table col.document drop column event_id;

drop table col.campaign_group;

alter table gacl.logingestion drop column locale;

insert into col.dbversion (dbversion_number, dbversion_date)
select '24.0', '2024-01-02'
where not exists (select 1 from col.dbversion where dbversion_number = '24.0');

delete from col.dbversion where dbversion_number = '24.1';
