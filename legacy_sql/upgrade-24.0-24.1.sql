-- Upgrade from 24.0 to 24.1: groups of campaigns, documents of events, the language of an account.

alter table gacl.logingestion add column locale varchar;

comment on column gacl.logingestion.locale is
    'Language in which the account uses the application.';

create table col.campaign_group (
    campaign_id integer not null,
    aclgroup_id integer not null,
    constraint campaign_group_pk primary key (campaign_id, aclgroup_id),
    constraint campaign_fk
        foreign key (campaign_id) references col.campaign (campaign_id) match full
        on update cascade on delete cascade,
    constraint aclgroup_fk
        foreign key (aclgroup_id) references gacl.aclgroup (aclgroup_id) match full
        on update cascade on delete cascade
);

comment on table col.campaign_group is
    'Groups whose members may see and change the samples of a campaign.';

alter table col.document
    add column event_id integer,
    add constraint event_fk
        foreign key (event_id) references col.event (event_id) match full
        on update cascade on delete set null;

comment on column col.document.event_id is
    'Event that the document belongs to.';

create index object_change_date_idx on col.object (change_date);

-- 24.0 allowed referents of one name. Where there are some the names cannot be unique again.
do $$
begin
    if not exists (
        select 1 from col.referent group by referent_name having count(*) > 1
    ) then
        create unique index referent_referent_name_idx
            on col.referent (referent_name) with (fillfactor = 90);
    end if;
end
$$;

insert into col.dbversion (dbversion_number, dbversion_date) values ('24.1', '2024-01-31');
