-- Upgrade from 26.1 to 26.2: the operation belongs to the sample, exports to elabFTW.

alter table col.operation
    add column operation_code varchar,
    add constraint operation_code_unique unique (operation_code);

comment on column col.operation.operation_code is
    'Code of the operation, unique.';

alter table col.sample
    add column history json,
    add column operation_id integer;

comment on column col.sample.history is
    'What happened to the sample before it came here.';
comment on column col.sample.operation_id is
    'Operation of a protocol that the sample comes from.';

-- Until here the type said the operation of all of its samples.
update col.sample
set operation_id = kind.operation_id
from col.sample_type as kind
where kind.sample_type_id = sample.sample_type_id
  and kind.operation_id is not null;

alter table col.sample
    add constraint operation_fk
        foreign key (operation_id) references col.operation (operation_id) match full
        on update cascade on delete set null;

create index sample_operation_id_idx on col.sample (operation_id);

alter table col.sample_type drop column operation_id;

-- The application knows the type of exports to elabFTW by this id.
insert into col.dataset_type (dataset_type_id, dataset_type_name)
select 5, 'elabftw'
where not exists (select 1 from col.dataset_type where dataset_type_id = 5);

select setval('col.dataset_type_dataset_type_id_seq', max(dataset_type_id))
from col.dataset_type
having max(dataset_type_id) >= (
    select last_value + is_called::int from col.dataset_type_dataset_type_id_seq
);

insert into col.dataset_template (
    dataset_template_name, export_format_id, dataset_type_id, separator, filename
)
select 'elabftw', 1, 5, ',', 'export_to_elabftw.csv'
where not exists (
    select 1 from col.dataset_template where dataset_template_name = 'elabftw'
);

insert into col.export_template (
    export_template_name, export_template_description, filename
)
select 'elabftw', 'Export to elabftw', 'export_to_elabftw.csv'
where not exists (
    select 1 from col.export_template where export_template_name = 'elabftw'
);

insert into col.export_dataset (export_template_id, dataset_template_id)
select whole.export_template_id, part.dataset_template_id
from col.export_template as whole, col.dataset_template as part
where whole.export_template_name = 'elabftw'
  and part.dataset_template_name = 'elabftw'
  and not exists (
      select 1
      from col.export_dataset as present
      where present.export_template_id = whole.export_template_id
        and present.dataset_template_id = part.dataset_template_id
  );

insert into col.dbversion (dbversion_number, dbversion_date) values ('26.2', '2026-08-21');
