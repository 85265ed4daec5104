-- Upgrade from 2.2 to 2.3: loans, authorizations of protocols.

alter table col.protocol
    add column authorization_number varchar,
    add column authorization_date timestamp;

comment on column col.protocol.authorization_number is
    'Number of the authorization that the protocol needs.';
comment on column col.protocol.authorization_date is
    'Date of that authorization.';

create sequence col.borrower_borrower_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table col.borrower (
    borrower_id      integer not null default nextval('col.borrower_borrower_id_seq'),
    borrower_name    varchar not null,
    borrower_address varchar,
    borrower_phone   varchar,
    constraint borrower_pk primary key (borrower_id)
);

comment on table col.borrower is
    'Persons or laboratories to whom objects are lent.';

create sequence col.borrowing_borrowing_id_seq minvalue 0 maxvalue 2147483647 start 1;

create table col.borrowing (
    borrowing_id         integer not null default nextval('col.borrowing_borrowing_id_seq'),
    borrowing_date       timestamp not null,
    expected_return_date timestamp,
    uid                  integer not null,
    borrower_id          integer not null,
    return_date          timestamp,
    constraint borrowing_pk primary key (borrowing_id),
    constraint borrower_fk
        foreign key (borrower_id) references col.borrower (borrower_id) match full
        on update cascade on delete restrict,
    constraint object_fk
        foreign key (uid) references col.object (uid) match full
        on update cascade on delete restrict
);

create index borrowing_borrower_id_idx on col.borrowing (borrower_id);
create index borrowing_uid_idx on col.borrowing (uid);

comment on table col.borrowing is
    'Loans of objects.';
comment on column col.borrowing.return_date is
    'When the object came back; null while it is lent.';

create view col.last_borrowing as
select distinct on (uid)
       borrowing_id, uid, borrowing_date, expected_return_date, borrower_id
from col.borrowing
where return_date is null
order by uid, borrowing_date desc, borrowing_id desc;

comment on view col.last_borrowing is
    'Newest open loan of each object that is lent.';

create or replace view col.last_movement as
select moved.uid,
       moved.movement_id,
       moved.movement_date,
       moved.movement_type_id,
       moved.container_id,
       holder.uid as container_uid,
       moved.line_number,
       moved.column_number,
       moved.movement_reason_id
from (select distinct on (uid)
             uid, movement_id, movement_date, movement_type_id, container_id,
             line_number, column_number, movement_reason_id
      from col.movement
      order by uid, movement_date desc, movement_id desc) as moved
left join col.container as holder on holder.container_id = moved.container_id;

-- The application knows the status of lent objects by this id.
insert into col.object_status (object_status_id, object_status_name)
select 6, 'Objet prêté'
where not exists (select 1 from col.object_status where object_status_id = 6);

select setval('col.object_status_object_status_id_seq', max(object_status_id))
from col.object_status
having max(object_status_id) >= (
    select last_value + is_called::int from col.object_status_object_status_id_seq
);

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.3', '2019-08-14');
