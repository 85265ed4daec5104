-- Downgrade from 2.3 to 2.2.

-- A status that an object has stays.
delete from col.object_status
where object_status_id = 6
  and object_status_name = 'Objet prêté'
  and not exists (
      select 1
      from col.object
      where object.object_status_id = object_status.object_status_id
  );

drop view col.last_movement;

create view col.last_movement as
select moved.uid,
       moved.movement_id,
       moved.movement_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       moved.line_number,
       moved.column_number
from (select distinct on (uid)
             uid, movement_id, movement_date, movement_type_id, container_id,
             line_number, column_number
      from col.movement
      order by uid, movement_date desc, movement_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

comment on view col.last_movement is
    'Where each object is: its last movement. Out of storage, it has no container.';

drop view col.last_borrowing;
drop table col.borrowing;
drop sequence col.borrowing_borrowing_id_seq;
drop table col.borrower;
drop sequence col.borrower_borrower_id_seq;

alter table col.protocol
    drop column authorization_number,
    drop column authorization_date;

insert into col.dbversion (dbversion_number, dbversion_date)
select '2.2', '2018-09-06'
where not exists (select 1 from col.dbversion where dbversion_number = '2.2');

delete from col.dbversion where dbversion_number = '2.3';
