-- Printers of labels.
select id as printer_id, 'Zebra ' || id as printer_name, 'zebra' || id as printer_queue,
  case when mod(n, 2) = 0 then 'print.laboratory.example' end as printer_server,
  case when mod(n, 2) = 0 then 'labels' end as printer_user,
  case when mod(n, 3) = 0 then 'Room B12, beside the freezers' end as printer_comment
from made
