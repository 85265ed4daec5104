-- Upgrade from 1.0.4 to 1.0.5: places where samples are collected.

create table col.sampling_place (
    sampling_place_id   serial not null,
    sampling_place_name varchar not null,
    constraint sampling_place_pk primary key (sampling_place_id)
);

comment on table col.sampling_place is
    'Places where samples are collected.';

alter table col.sample
    add column sampling_place_id integer,
    add constraint sampling_place_sample_fk
        foreign key (sampling_place_id) references col.sampling_place (sampling_place_id);
