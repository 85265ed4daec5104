create role "rep" with login replication;
create role "rewind" with login superuser;
alter role "rep" with password 'SCRAM';
alter role "rewind" with password 'SCRAM';
