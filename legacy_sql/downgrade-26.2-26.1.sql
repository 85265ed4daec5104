-- Downgrade from 26.2 to 26.1.

-- The export to elabFTW goes, unless somebody gave it columns or used it.
delete from col.export_dataset
using col.export_template as whole, col.dataset_template as part
where whole.export_template_id = export_dataset.export_template_id
  and whole.export_template_name = 'elabftw'
  and part.dataset_template_id = export_dataset.dataset_template_id
  and part.dataset_template_name = 'elabftw'
  and not exists (
      select 1 from col.export where export.export_template_id = whole.export_template_id
  )
  and not exists (
      select 1 from col.dataset_column
      where dataset_column.dataset_template_id = part.dataset_template_id
  );

delete from col.export_template
where export_template_name = 'elabftw'
  and not exists (
      select 1 from col.export
      where export.export_template_id = export_template.export_template_id
  )
  and not exists (
      select 1 from col.export_dataset
      where export_dataset.export_template_id = export_template.export_template_id
  );

delete from col.dataset_template
where dataset_template_name = 'elabftw'
  and not exists (
      select 1 from col.dataset_column
      where dataset_column.dataset_template_id = dataset_template.dataset_template_id
  )
  and not exists (
      select 1 from col.export_dataset
      where export_dataset.dataset_template_id = dataset_template.dataset_template_id
  );

delete from col.dataset_type
where dataset_type_id = 5
  and dataset_type_name = 'elabftw'
  and not exists (
      select 1 from col.dataset_template
      where dataset_template.dataset_type_id = dataset_type.dataset_type_id
  );

alter table col.sample_type
    add column operation_id integer,
    add constraint operation_sample_type_fk
        foreign key (operation_id) references col.operation (operation_id);

comment on column col.sample_type.operation_id is
    'Operation of a protocol that samples of this type come from.';

-- The operation that all samples of a type share.
update col.sample_type
set operation_id = shared.operation_id
from (select sample_type_id, min(operation_id) as operation_id
      from col.sample
      group by sample_type_id
      having count(distinct operation_id) = 1 and count(operation_id) = count(*)) as shared
where shared.sample_type_id = sample_type.sample_type_id;

alter table col.sample
    drop column history,
    drop column operation_id;

alter table col.operation drop column operation_code;

insert into col.dbversion (dbversion_number, dbversion_date)
select '26.1', '2026-04-01'
where not exists (select 1 from col.dbversion where dbversion_number = '26.1');

delete from col.dbversion where dbversion_number = '26.2';
