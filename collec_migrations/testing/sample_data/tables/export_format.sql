-- The formats that an installation starts with; the application knows their ids.
select * from (values (1, 'CSV'), (2, 'JSON'), (3, 'XML'))
  as known (export_format_id, export_format_name)
