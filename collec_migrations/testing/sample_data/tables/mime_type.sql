-- The types of the documents made here; the application knows pictures by ids 4, 5 and 6.
select * from (values
  (1, 'pdf', 'application/pdf'),
  (4, 'jpg', 'image/jpeg'),
  (5, 'jpeg', 'image/jpeg'),
  (6, 'png', 'image/png')
) as known (mime_type_id, extension, content_type)
