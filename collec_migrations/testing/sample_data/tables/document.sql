-- Pictures and reports with their bytes; some have lost their date or their content.
select id as document_id, %(object_first)s + mod(b, %(object_count)s) as uid, mime_type_id,
  timestamp '2016-03-01 12:00' + n * interval '13 minutes' as document_import_date,
  case when mod(c, 4) > 0 then timestamp '2016-02-01' + mod(c, 700) * interval '1 hour' end
    as document_creation_date,
  'document_' || id || case mime_type_id when 1 then '.pdf' when 4 then '.jpg' else '.png' end
    as document_name,
  case when mod(d, 3) = 0 then 'photograph n° ' || n end as document_description,
  data, octet_length(data) as size,
  case when mime_type_id <> 1 then substring(data from 1 for 150) end as thumbnail
from (
  select id, n, b, c, d, mime_type_id,
    case when mod(c, 50) > 0 then
      case mime_type_id
        when 1 then convert_to('%%PDF-1.4' || chr(10), 'UTF8')
        when 4 then decode('ffd8ffe000104a46494600', 'hex')
        else decode('89504e470d0a1a0a0000000d49484452', 'hex')
      end || decode(repeat(md5(a::text), 20 + mod(a, 60)), 'hex') end as data
  from (select *, (array[1, 4, 6])[1 + mod(a, 3)] as mime_type_id from made) as typed
) as filed
