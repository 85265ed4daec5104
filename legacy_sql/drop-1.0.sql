-- Downgrade from 1.0 to base: the application is removed.
--
-- Both schemas stay, for what else they hold. The data schema comes first: its view reads the
-- rights schema.

drop view col.aclgroup;
drop view col.last_movement;
drop view col.last_photo;
drop view col.v_object_identifier;

drop table col.booking;
drop table col.document;
drop table col.event;
drop table col.metadata_attribute;
drop table col.object_identifier;
drop table col.project_group;
drop table col.sample_metadata;
drop table col.storage;
drop table col.subsample;
drop table col.container;
drop table col.event_type;
drop table col.identifier_type;
drop table col.metadata_schema;
drop table col.mime_type;
drop table col.movement_type;
drop table col.sample;
drop table col.storage_reason;
drop table col.object;
drop table col.project;
drop table col.sample_type;
drop table col.container_type;
drop table col.metadata_set;
drop table col.multiple_type;
drop table col.object_status;
drop table col.operation;
drop table col.container_family;
drop table col.label;
drop table col.protocol;
drop table col.storage_condition;

drop table gacl.aclacl;
drop table gacl.acllogingroup;
drop table gacl.log;
drop table gacl.login_oldpassword;
drop table gacl.aclaco;
drop table gacl.aclgroup;
drop table gacl.acllogin;
drop table gacl.logingestion;
drop table gacl.aclappli;

drop sequence gacl.seq_logingestion_id;
