-- warn: an event has no date, which version 2.7 requires: it goes to the archive
-- hint: Give the event a date to keep it in the application.
select event_id, uid, event_type_id, due_date, event_comment
from col.event
where event_date is null
order by event_id;
