-- Downgrade from 1.0.8 to 1.0.6.

drop table col.dbversion;
