create role "rep" with login replication;
alter role "rep" with password 'SCRAM';
alter role "rewind" with password 'SCRAM';
