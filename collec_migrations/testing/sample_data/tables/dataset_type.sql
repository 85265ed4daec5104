-- The types that an installation starts with; the application knows their ids.
select * from (values
  (1, 'sample', '["uid","identifier","metadata"]'),
  (2, 'collection', '["collection_name"]'),
  (3, 'document', '["document_name","uid"]'),
  (4, 'arbitrary content', '["content"]')
) as known (dataset_type_id, dataset_type_name, fields)
