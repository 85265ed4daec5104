-- Downgrade from 26.0 to 25.0.

delete from col.dbparam where dbparam_name = 'labelDebugMode';

alter table col.label
    add column barcode_id integer not null default 1,
    add column identifier_only boolean not null default false,
    add column label_fields varchar not null default 'uid,id,clp,db',
    add constraint barcode_fk
        foreign key (barcode_id) references col.barcode (barcode_id) match full
        on update cascade deferrable;

comment on column col.label.barcode_id is
    'Kind of the optical code.';
comment on column col.label.identifier_only is
    'The code holds one identifier, not a JSON object of the fields.';
comment on column col.label.label_fields is
    'Fields put into the code, separated by commas.';

-- The first optical code of each label is its only one.
update col.label
set barcode_id = code.barcode_id,
    identifier_only = code.content_type = 2,
    label_fields = code.optical_content
from (select distinct on (label_id) label_id, barcode_id, content_type, optical_content
      from col.label_optical
      order by label_id, label_optical_id) as code
where code.label_id = label.label_id;

drop table col.label_optical;

-- The example goes, unless somebody changed it (its length tells) or a type of container has it.
delete from col.label
where label_name = 'Example'
  and length(replace(label_xsl, label_id || '-logo.png', '')) = 2205
  and not exists (
      select 1 from col.container_type where container_type.label_id = label.label_id
  );

alter table col.label drop column logo;

insert into col.dbversion (dbversion_number, dbversion_date)
select '25.0', '2024-09-18'
where not exists (select 1 from col.dbversion where dbversion_number = '25.0');

delete from col.dbversion where dbversion_number = '26.0';
