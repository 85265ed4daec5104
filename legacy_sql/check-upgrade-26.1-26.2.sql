-- stop: the application needs the type of export 5 for elabftw, but another one has this id
-- hint: Give that type another id, in dataset_type and in dataset_template.dataset_type_id.
select dataset_type_id, dataset_type_name
from col.dataset_type
where dataset_type_id = 5 and dataset_type_name <> 'elabftw';

-- stop: a type of export is called elabftw, but the application needs it under the id 5
-- hint: Give that type the id 5, in dataset_type and in dataset_template.dataset_type_id, or another name.
select dataset_type_id, dataset_type_name
from col.dataset_type
where dataset_type_name = 'elabftw' and dataset_type_id <> 5
order by dataset_type_id;

-- stop: a dataset template elabftw is there already, of another type
-- hint: Give it another name: the application needs one of this name, of type 5.
select dataset_template_id, dataset_template_name, dataset_type_id
from col.dataset_template
where dataset_template_name = 'elabftw' and dataset_type_id <> 5
order by dataset_template_id;

-- stop: the export format 1 is not CSV, which the export to elabftw needs
-- hint: Give CSV the id 1 in export_format.
select needed.export_format_id, present.export_format_name
from (select 1 as export_format_id) as needed
left join col.export_format as present on present.export_format_id = needed.export_format_id
where present.export_format_name is distinct from 'CSV';
