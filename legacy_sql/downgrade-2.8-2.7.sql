-- Downgrade from 2.8 to 2.7.

drop function col.getgroupsfromcollection(integer);
drop function col.getsampletypesfromcollection(integer);
drop function col.geteventtypesfromcollection(integer);

drop table col.collection_sampletype;
drop table col.collection_eventtype;

drop index col.event_date_idx;

-- Version 2.7 has no events without a date.
delete from col.event where event_date is null;

alter table col.event
    -- The older version requires it; the table is read once.
    -- squawk-ignore adding-not-nullable-field
    alter column event_date set not null,
    drop column due_date;

alter table gacl.logingestion
    drop column nbattempts,
    drop column lastattempt;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.7', '2022-06-20'
where not exists (select 1 from col.dbversion where dbversion_number = '2.7');

delete from col.dbversion where dbversion_number = '2.8';
