-- Upgrade from 2.4 to 2.5: lots, exports, licenses, countries, unique names.

create table col.country (
    country_id    integer not null,
    country_name  varchar not null,
    country_code2 varchar(2) not null,
    country_code3 varchar(3),
    constraint country_pk primary key (country_id)
);

create index country_code2_idx on col.country (country_code2);

comment on table col.country is
    'Countries, by ISO 3166. The ids are fixed.';
comment on column col.country.country_code2 is
    'Code of two letters (ISO 3166-1 alpha-2).';
comment on column col.country.country_code3 is
    'Code of three letters (ISO 3166-1 alpha-3).';

create table col.license (
    license_id   serial not null,
    license_name varchar not null,
    license_url  varchar,
    constraint license_pk primary key (license_id)
);

create unique index license_name_idx on col.license (license_name);

comment on table col.license is
    'Licenses under which the data of a collection are published.';

create unique index borrower_name_idx on col.borrower (borrower_name);
create unique index campaign_name_idx on col.campaign (campaign_name);
create unique index collection_name_idx on col.collection (collection_name);
create unique index container_family_name_idx on col.container_family (container_family_name);
create unique index event_type_name_idx on col.event_type (event_type_name);
create unique index identifier_type_code_idx on col.identifier_type (identifier_type_code);
create unique index mime_type_extension_idx on col.mime_type (extension);
create unique index multiple_type_name_idx on col.multiple_type (multiple_type_name);
create unique index object_status_name_idx on col.object_status (object_status_name);
create unique index regulation_name_idx on col.regulation (regulation_name);
create unique index sample_type_name_idx on col.sample_type (sample_type_name);
create unique index storage_condition_name_idx on col.storage_condition (storage_condition_name);

alter table col.identifier_type alter column identifier_type_code drop not null;

-- A type without a code shows its name.
create or replace view col.v_object_identifier as
select named.uid,
       string_agg(
           coalesce(kind.identifier_type_code, kind.identifier_type_name)
               || ':' || named.object_identifier_value,
           ','
           order by kind.identifier_type_code, named.object_identifier_value,
                    kind.identifier_type_name
       ) as identifiers
from col.object_identifier as named
join col.identifier_type as kind on kind.identifier_type_id = named.identifier_type_id
group by named.uid;

alter table col.referent
    add column referent_firstname varchar,
    add column academical_directory varchar,
    add column academical_link varchar;

comment on column col.referent.academical_directory is
    'Directory in which the person is known, for instance ORCID.';
comment on column col.referent.academical_link is
    'Address of the person in that directory.';

alter table col.collection
    add column collection_keywords varchar,
    add column collection_displayname varchar,
    add column license_id integer,
    add constraint license_fk
        foreign key (license_id) references col.license (license_id) match full
        on update cascade on delete set null deferrable;

comment on column col.collection.collection_keywords is
    'Keywords, separated by commas.';
comment on column col.collection.collection_displayname is
    'Name shown to the public.';

alter table col.object add column object_comment varchar;

comment on column col.object.object_comment is
    'Remarks on the object.';

-- A value of its own for each row is meant.
-- squawk-ignore adding-field-with-default
alter table col.document add column uuid uuid not null default gen_random_uuid();

comment on column col.document.uuid is
    'Identifier of the document in any database.';

alter table col.sampling_place
    add column country_id integer,
    add constraint country_fk
        foreign key (country_id) references col.country (country_id) match full
        on update cascade on delete set null deferrable;

alter table col.sample
    add column country_id integer,
    add constraint country_fk
        foreign key (country_id) references col.country (country_id) match full
        on update cascade on delete set null deferrable;

comment on column col.sample.country_id is
    'Country where the sample was collected.';

create index country_id_idx on col.sample (country_id);
create index sample_campaign_id_idx on col.sample (campaign_id);

-- A key of its own, so that a campaign can have several authorizations under one regulation.
alter table col.campaign_regulation
    drop constraint campaign_regulation_pk,
    -- The rows get their values below.
    -- squawk-ignore adding-required-field
    add column campaign_regulation_id serial not null,
    add column authorization_number varchar,
    add column authorization_date timestamp;

update col.campaign_regulation
set campaign_regulation_id = numbered.place
from (select campaign_id, regulation_id,
             row_number() over (order by campaign_id, regulation_id) as place
      from col.campaign_regulation) as numbered
where numbered.campaign_id = campaign_regulation.campaign_id
  and numbered.regulation_id = campaign_regulation.regulation_id;

alter table col.campaign_regulation
    add constraint campaign_regulation_pk primary key (campaign_regulation_id);

create index authorization_number_idx
    on col.campaign_regulation using gin (authorization_number gin_trgm_ops);
create index campaign_id_idx on col.campaign_regulation (campaign_id);

create table col.samplesearch (
    samplesearch_id    serial not null,
    samplesearch_name  varchar not null,
    samplesearch_data  json,
    samplesearch_login varchar,
    collection_id      integer,
    constraint collection_fk
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete set null deferrable
);

comment on table col.samplesearch is
    'Searches of samples that users keep.';
comment on column col.samplesearch.samplesearch_data is
    'Criteria of the search, as JSON.';
comment on column col.samplesearch.samplesearch_login is
    'Who keeps the search.';
comment on column col.samplesearch.collection_id is
    'Collection whose members share the search; null for a private one.';

create table col.translator (
    translator_id   serial not null,
    translator_name varchar not null,
    translator_data json,
    constraint translator_pk primary key (translator_id)
);

comment on table col.translator is
    'Tables of translation: what an export writes in place of a value.';
comment on column col.translator.translator_data is
    'Values and what is written for them, as a JSON object.';

create table col.export_format (
    export_format_id   serial not null,
    export_format_name varchar not null,
    constraint export_format_pk primary key (export_format_id)
);

comment on table col.export_format is
    'Formats of files that an export can write.';

create table col.dataset_type (
    dataset_type_id   serial not null,
    dataset_type_name varchar not null,
    fields            json,
    constraint dataset_type_pk primary key (dataset_type_id)
);

comment on table col.dataset_type is
    'What a dataset is about, and the fields that it can have. The application knows the ids.';
comment on column col.dataset_type.fields is
    'Names of the fields, as a JSON array.';

create table col.dataset_template (
    dataset_template_id   serial not null,
    dataset_template_name varchar not null,
    export_format_id      integer not null,
    dataset_type_id       integer not null,
    only_last_document    boolean default false,
    separator             varchar,
    filename              varchar not null default 'cs-export.csv',
    xmlroot               varchar,
    xmlnodename           varchar default 'sample',
    xslcontent            varchar,
    constraint dataset_template_pk primary key (dataset_template_id),
    constraint dataset_type_fk
        foreign key (dataset_type_id) references col.dataset_type (dataset_type_id) match full
        on update cascade deferrable,
    constraint export_format_fk
        foreign key (export_format_id) references col.export_format (export_format_id) match full
        on update cascade deferrable
);

create unique index dataset_template_name_idx on col.dataset_template (dataset_template_name);

comment on table col.dataset_template is
    'Models of datasets: one file of an export.';
comment on column col.dataset_template.only_last_document is
    'Only the newest document of each object is exported.';
comment on column col.dataset_template.separator is
    'Between the columns of a CSV file.';
comment on column col.dataset_template.xmlroot is
    'Beginning of the XML file, up to the rows.';
comment on column col.dataset_template.xmlnodename is
    'Element of a row in XML.';
comment on column col.dataset_template.xslcontent is
    'Stylesheet that turns the XML into what is delivered.';

create table col.dataset_column (
    dataset_column_id   serial not null,
    dataset_template_id integer not null,
    column_name         varchar not null,
    export_name         varchar not null,
    subfield_name       varchar,
    translator_id       integer,
    column_order        smallint default 1,
    mandatory           boolean default false,
    default_value       varchar,
    date_format         varchar,
    constraint dataset_column_pk primary key (dataset_column_id),
    constraint dataset_template_fk
        foreign key (dataset_template_id) references col.dataset_template (dataset_template_id) match full
        on update cascade deferrable,
    constraint translator_fk
        foreign key (translator_id) references col.translator (translator_id) match full
        on update cascade on delete set null deferrable
);

comment on table col.dataset_column is
    'Columns of a dataset: what an export writes for each row.';
comment on column col.dataset_column.column_name is
    'Field that the column shows.';
comment on column col.dataset_column.export_name is
    'Name of the column in the file.';
comment on column col.dataset_column.subfield_name is
    'Name inside the field, for metadata and identifiers.';
comment on column col.dataset_column.translator_id is
    'Table of translation for the values.';
comment on column col.dataset_column.mandatory is
    'A row without a value is refused.';
comment on column col.dataset_column.default_value is
    'Written where there is no value.';
comment on column col.dataset_column.date_format is
    'Format of dates in the file.';

create table col.export_template (
    export_template_id          serial not null,
    export_template_name        varchar not null,
    export_template_description varchar,
    export_template_version     varchar,
    is_zipped                   boolean default false,
    filename                    varchar not null default 'cs-export.csv',
    constraint export_model1_pk primary key (export_template_id)
);

create unique index export_template_name_idx on col.export_template (export_template_name);

comment on table col.export_template is
    'Models of exports: a file, or an archive of several.';
comment on column col.export_template.is_zipped is
    'The files are delivered in one ZIP archive.';

create table col.export_dataset (
    export_template_id  integer not null,
    dataset_template_id integer not null,
    constraint export_dataset_pk primary key (export_template_id, dataset_template_id) deferrable,
    constraint dataset_template_fk
        foreign key (dataset_template_id) references col.dataset_template (dataset_template_id) match full
        on update cascade on delete cascade deferrable,
    constraint export_template_fk
        foreign key (export_template_id) references col.export_template (export_template_id) match full
        on update cascade on delete cascade deferrable
);

comment on table col.export_dataset is
    'Datasets that an export consists of.';

create table col.lot (
    lot_id        serial not null,
    collection_id integer,
    lot_date      timestamp not null default current_timestamp,
    constraint lot_pk primary key (lot_id),
    constraint collection_fk
        foreign key (collection_id) references col.collection (collection_id) match full
        on update cascade on delete set null deferrable
);

comment on table col.lot is
    'Lots: sets of samples that are exported together.';

create table col.lot_sample (
    lot_id    integer not null,
    sample_id integer not null,
    constraint lot_sample_pk primary key (lot_id, sample_id) deferrable,
    constraint lot_fk
        foreign key (lot_id) references col.lot (lot_id) match full
        on update cascade on delete cascade deferrable,
    constraint sample_fk
        foreign key (sample_id) references col.sample (sample_id) match full
        on update cascade on delete cascade deferrable
);

comment on table col.lot_sample is
    'Samples of a lot.';

create table col.export (
    export_id          serial not null,
    lot_id             integer not null,
    export_date        timestamp,
    export_template_id integer not null,
    constraint export_pk primary key (export_id),
    constraint export_template_fk
        foreign key (export_template_id) references col.export_template (export_template_id) match full
        on update cascade deferrable,
    constraint lot_fk
        foreign key (lot_id) references col.lot (lot_id) match full
        on update cascade deferrable
);

comment on table col.export is
    'Exports made of a lot.';
comment on column col.export.export_date is
    'When the file was made; null while it was not.';

-- Rows that came back from the archive stay as they are.
insert into col.license (license_name, license_url)
select known.name, known.url
from (values
          ('CC0', 'https://creativecommons.org/publicdomain/zero/1.0/'),
          ('CCBY', 'https://creativecommons.org/licenses/by/4.0/')
     ) as known (name, url)
where not exists (
    select 1 from col.license as present where present.license_name = known.name
);

-- The application knows the formats and the types by their ids.
insert into col.export_format (export_format_id, export_format_name)
select known.id, known.name
from (values
          (1, 'CSV'),
          (2, 'JSON'),
          (3, 'XML')
     ) as known (id, name)
where not exists (
    select 1 from col.export_format as present where present.export_format_id = known.id
);
select setval('col.export_format_export_format_id_seq', max(export_format_id))
from col.export_format
having max(export_format_id) >= (
    select last_value + is_called::int from col.export_format_export_format_id_seq
);

insert into col.dataset_type (dataset_type_id, dataset_type_name, fields)
select known.id, known.name, known.fields::json
from (values
          (1, 'sample',
           '["uid","uuid","identifier","wgs84_x","wgs84_y","location_accuracy","object_status_name","referent_name","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","referent_firstname","academic_directory","academic_link","object_comment","identifiers","sample_creation_date","sampling_date","multiple_value","sampling_place_name","expiration_date","sample_type_name","storage_product","clp_classification","multiple_type_name","collection_name","metadata","parent_uid","parent_uuid","parent_identifiers","web_address","content_type","container_uid","container_identifier","container_uuid","storage_type_name","fixed_value"]'),
          (2, 'collection',
           '["collection_name","collection_displayname","collection_keywords","referent_name","referent_firstname","academical_directory","academical_link","referent_email","address_name","address_line2","address_line3","address_city","address_country","referent_phone","fixed_value"]'),
          (3, 'document',
           '["document_name","document_uuid","uid","sample_uuid","identifier","content_type","extension","size","document_creation_date","fixed_value", "web_address"]'),
          (4, 'arbitrary content',
           '["content"]')
     ) as known (id, name, fields)
where not exists (
    select 1 from col.dataset_type as present where present.dataset_type_id = known.id
);
select setval('col.dataset_type_dataset_type_id_seq', max(dataset_type_id))
from col.dataset_type
having max(dataset_type_id) >= (
    select last_value + is_called::int from col.dataset_type_dataset_type_id_seq
);

insert into col.export_model (export_model_name, pattern)
select 'export_template',
       '[{"tableName":"export_template","technicalKey":"export_template_id","isEmpty":false,"businessKey":"export_template_name","istable11":false,"children":[{"aliasName":"export_dataset","isStrict":true}],"parents":[],"istablenn":false},{"tableName":"export_dataset","isEmpty":false,"parentKey":"export_template_id","istable11":false,"children":[],"parents":[{"aliasName":"dataset_template","fieldName":"dataset_template_id"}],"istablenn":true,"tablenn":{"secondaryParentKey":"dataset_template_id","tableAlias":"dataset_template"}},{"tableName":"dataset_template","technicalKey":"dataset_template_id","isEmpty":true,"businessKey":"dataset_template_name","istable11":false,"children":[{"aliasName":"dataset_column","isStrict":true}],"parents":[],"istablenn":false},{"tableName":"dataset_column","technicalKey":"dataset_column_id","isEmpty":false,"parentKey":"dataset_template_id","istable11":false,"children":[],"parents":[{"aliasName":"translator","fieldName":"translator_id"}],"istablenn":false},{"tableName":"translator","technicalKey":"translator_id","isEmpty":true,"businessKey":"translator_name","istable11":false,"children":[],"parents":[],"istablenn":false}]'
where not exists (
    select 1 from col.export_model where export_model_name = 'export_template'
);

insert into col.country (country_id, country_name, country_code2, country_code3)
select known.id, known.name, known.code2, known.code3
from (values
    (4, 'Afghanistan', 'AF', 'AFG'), (8, 'Albanie', 'AL', 'ALB'), (10, 'Antarctique', 'AQ', 'ATA'),
    (12, 'Algérie', 'DZ', 'DZA'), (16, 'Samoa américaines', 'AS', 'ASM'),
    (20, 'Andorre', 'AD', 'AND'), (24, 'Angola', 'AO', 'AGO'),
    (28, 'Antigua-et-Barbuda', 'AG', 'ATG'), (31, 'Azerbaïdjan', 'AZ', 'AZE'),
    (32, 'Argentine', 'AR', 'ARG'), (36, 'Australie', 'AU', 'AUS'), (40, 'Autriche', 'AT', 'AUT'),
    (44, 'Bahamas', 'BS', 'BHS'), (48, 'Bahreïn', 'BH', 'BHR'), (50, 'Bangladesh', 'BD', 'BGD'),
    (51, 'Arménie', 'AM', 'ARM'), (52, 'Barbade', 'BB', 'BRB'), (56, 'Belgique', 'BE', 'BEL'),
    (60, 'Bermudes', 'BM', 'BMU'), (64, 'Bhoutan', 'BT', 'BTN'), (68, 'Bolivie', 'BO', 'BOL'),
    (70, 'Bosnie-Herzégovine', 'BA', 'BIH'), (72, 'Botswana', 'BW', 'BWA'),
    (74, 'Île Bouvet', 'BV', 'BVT'), (76, 'Brésil', 'BR', 'BRA'), (84, 'Belize', 'BZ', 'BLZ'),
    (86, 'Territoire britannique de l’Océan Indien', 'IO', 'IOT'),
    (90, 'Îles Salomon', 'SB', 'SLB'), (92, 'British Virgin Islands', 'VG', 'VGB'),
    (96, 'Brunei Darussalam', 'BN', 'BRN'), (100, 'Bulgarie', 'BG', 'BGR'),
    (104, 'Myanmar', 'MM', 'MMR'), (108, 'Burundi', 'BI', 'BDI'), (112, 'Biélorussie', 'BY', 'BLR'),
    (116, 'Cambodge', 'KH', 'KHM'), (120, 'Cameroun', 'CM', 'CMR'), (124, 'Canada', 'CA', 'CAN'),
    (132, 'Cap-Vert', 'CV', 'CPV'), (136, 'Iles Cayman', 'KY', 'CYM'),
    (140, 'République centrafricaine', 'CF', 'CAF'), (144, 'Sri Lanka', 'LK', 'LKA'),
    (148, 'Tchad', 'TD', 'TCD'), (152, 'Chili', 'CL', 'CHL'), (156, 'Chine', 'CN', 'CHN'),
    (158, 'Taiwan', 'TW', 'TWN'), (162, 'Île Christmas', 'CX', 'CXR'),
    (166, 'Îles Cocos', 'CC', 'CCK'), (170, 'Colombie', 'CO', 'COL'), (174, 'Comores', 'KM', 'COM'),
    (175, 'Mayotte', 'YT', 'MYT'), (178, 'République du Congo', 'CG', 'COG'),
    (180, 'République démocratique du Congo', 'CD', 'COD'), (184, 'Îles Cook', 'CK', 'COK'),
    (188, 'Costa Rica', 'CR', 'CRI'), (191, 'Croatie', 'HR', 'HRV'), (192, 'Cuba', 'CU', 'CUB'),
    (196, 'Chypre', 'CY', 'CYP'), (203, 'République tchèque', 'CZ', 'CZE'),
    (204, 'Bénin', 'BJ', 'BEN'), (208, 'Danemark', 'DK', 'DNK'), (212, 'Dominique', 'DM', 'DMA'),
    (214, 'République dominicaine', 'DO', 'DOM'), (218, 'Équateur', 'EC', 'ECU'),
    (222, 'Salvador', 'SV', 'SLV'), (226, 'Guinée équatoriale', 'GQ', 'GNQ'),
    (231, 'Éthiopie', 'ET', 'ETH'), (232, 'Érythrée', 'ER', 'ERI'), (233, 'Estonie', 'EE', 'EST'),
    (234, 'Îles Féroé', 'FO', 'FRO'), (238, 'Îles Falkland', 'FK', 'FLK'),
    (239, 'Géorgie du Sud et les îles Sandwich du Sud', 'GS', 'SGS'), (242, 'Fidji', 'FJ', 'FJI'),
    (246, 'Finlande', 'FI', 'FIN'), (248, 'Îles Åland', 'AX', 'ALA'), (250, 'France', 'FR', 'FRA'),
    (254, 'Guyane française', 'GF', 'GUF'), (258, 'Polynésie française', 'PF', 'PYF'),
    (260, 'Terres australes et antarctiques françaises', 'TF', 'ATF'),
    (262, 'Djibouti', 'DJ', 'DJI'), (266, 'Gabon', 'GA', 'GAB'), (268, 'Géorgie', 'GE', 'GEO'),
    (270, 'Gambie', 'GM', 'GMB'), (275, 'Palestine', 'PS', 'PSE'), (276, 'Allemagne', 'DE', 'DEU'),
    (288, 'Ghana', 'GH', 'GHA'), (292, 'Gibraltar', 'GI', 'GIB'), (296, 'Kiribati', 'KI', 'KIR'),
    (300, 'Grèce', 'GR', 'GRC'), (304, 'Groenland', 'GL', 'GRL'), (308, 'Grenade', 'GD', 'GRD'),
    (312, 'Guadeloupe', 'GP', 'GLP'), (316, 'Guam', 'GU', 'GUM'), (320, 'Guatemala', 'GT', 'GTM'),
    (324, 'Guinée', 'GN', 'GIN'), (328, 'Guyane', 'GY', 'GUY'), (332, 'Haïti', 'HT', 'HTI'),
    (334, 'Îles Heard-et-MacDonald', 'HM', 'HMD'), (336, 'Saint-Siège (Vatican)', 'VA', 'VAT'),
    (340, 'Honduras', 'HN', 'HND'), (344, 'Hong Kong', 'HK', 'HKG'), (348, 'Hongrie', 'HU', 'HUN'),
    (352, 'Islande', 'IS', 'ISL'), (356, 'Inde', 'IN', 'IND'), (360, 'Indonésie', 'ID', 'IDN'),
    (364, 'Iran', 'IR', 'IRN'), (368, 'Irak', 'IQ', 'IRQ'), (372, 'Irlande', 'IE', 'IRL'),
    (376, 'Israël', 'IL', 'ISR'), (380, 'Italie', 'IT', 'ITA'), (384, 'Côte d’Ivoire', 'CI', 'CIV'),
    (388, 'Jamaïque', 'JM', 'JAM'), (392, 'Japon', 'JP', 'JPN'), (398, 'Kazakhstan', 'KZ', 'KAZ'),
    (400, 'Jordanie', 'JO', 'JOR'), (404, 'Kenya', 'KE', 'KEN'),
    (408, 'Corée du Nord', 'KP', 'PRK'), (410, 'Corée du Sud', 'KR', 'KOR'),
    (414, 'Koweït', 'KW', 'KWT'), (417, 'Kirghizistan', 'KG', 'KGZ'), (418, 'Laos', 'LA', 'LAO'),
    (422, 'Liban', 'LB', 'LBN'), (426, 'Lesotho', 'LS', 'LSO'), (428, 'Lettonie', 'LV', 'LVA'),
    (430, 'Libéria', 'LR', 'LBR'), (434, 'Libye', 'LY', 'LBY'), (438, 'Liechtenstein', 'LI', 'LIE'),
    (440, 'Lituanie', 'LT', 'LTU'), (442, 'Luxembourg', 'LU', 'LUX'), (446, 'Macao', 'MO', 'MAC'),
    (450, 'Madagascar', 'MG', 'MDG'), (454, 'Malawi', 'MW', 'MWI'), (458, 'Malaisie', 'MY', 'MYS'),
    (462, 'Maldives', 'MV', 'MDV'), (466, 'Mali', 'ML', 'MLI'), (470, 'Malte', 'MT', 'MLT'),
    (474, 'Martinique', 'MQ', 'MTQ'), (478, 'Mauritanie', 'MR', 'MRT'),
    (480, 'Maurice', 'MU', 'MUS'), (484, 'Mexique', 'MX', 'MEX'), (492, 'Monaco', 'MC', 'MCO'),
    (496, 'Mongolie', 'MN', 'MNG'), (498, 'Moldavie', 'MD', 'MDA'),
    (499, 'Monténégro', 'ME', 'MNE'), (500, 'Montserrat', 'MS', 'MSR'), (504, 'Maroc', 'MA', 'MAR'),
    (508, 'Mozambique', 'MZ', 'MOZ'), (512, 'Oman', 'OM', 'OMN'), (516, 'Namibie', 'NA', 'NAM'),
    (520, 'Nauru', 'NR', 'NRU'), (524, 'Népal', 'NP', 'NPL'), (528, 'Pays-Bas', 'NL', 'NLD'),
    (533, 'Aruba', 'AW', 'ABW'), (534, 'Saint-Martin (partie néerlandaise)', 'SX', 'SXM'),
    (540, 'Nouvelle-Calédonie', 'NC', 'NCL'), (548, 'Vanuatu', 'VU', 'VUT'),
    (554, 'Nouvelle-Zélande', 'NZ', 'NZL'), (558, 'Nicaragua', 'NI', 'NIC'),
    (562, 'Niger', 'NE', 'NER'), (566, 'Nigeria', 'NG', 'NGA'), (570, 'Niue', 'NU', 'NIU'),
    (574, 'Île Norfolk', 'NF', 'NFK'), (578, 'Norvège', 'NO', 'NOR'),
    (580, 'Îles Mariannes du Nord', 'MP', 'MNP'),
    (581, 'Îles mineures éloignées des États-Unis', 'UM', 'UMI'), (583, 'Micronésie', 'FM', 'FSM'),
    (584, 'Îles Marshall', 'MH', 'MHL'), (585, 'Palau', 'PW', 'PLW'),
    (586, 'Pakistan', 'PK', 'PAK'), (591, 'Panama', 'PA', 'PAN'),
    (598, 'Papouasie-Nouvelle-Guinée', 'PG', 'PNG'), (600, 'Paraguay', 'PY', 'PRY'),
    (604, 'Pérou', 'PE', 'PER'), (608, 'Philippines', 'PH', 'PHL'), (612, 'Pitcairn', 'PN', 'PCN'),
    (616, 'Pologne', 'PL', 'POL'), (620, 'Portugal', 'PT', 'PRT'),
    (624, 'Guinée-Bissau', 'GW', 'GNB'), (626, 'Timor-Leste', 'TL', 'TLS'),
    (630, 'Puerto Rico', 'PR', 'PRI'), (634, 'Qatar', 'QA', 'QAT'), (638, 'Réunion', 'RE', 'REU'),
    (642, 'Roumanie', 'RO', 'ROU'), (643, 'Russie', 'RU', 'RUS'), (646, 'Rwanda', 'RW', 'RWA'),
    (652, 'Saint-Barthélemy', 'BL', 'BLM'), (654, 'Sainte-Hélène', 'SH', 'SHN'),
    (659, 'Saint-Kitts-et-Nevis', 'KN', 'KNA'), (660, 'Anguilla', 'AI', 'AIA'),
    (662, 'Sainte-Lucie', 'LC', 'LCA'), (663, 'Saint-Martin (partie française)', 'MF', 'MAF'),
    (666, 'Saint-Pierre-et-Miquelon', 'PM', 'SPM'),
    (670, 'Saint-Vincent-et-les Grenadines', 'VC', 'VCT'), (674, 'Saint-Marin', 'SM', 'SMR'),
    (678, 'Sao Tomé-et-Principe', 'ST', 'STP'), (682, 'Arabie Saoudite', 'SA', 'SAU'),
    (686, 'Sénégal', 'SN', 'SEN'), (688, 'Serbie', 'RS', 'SRB'), (690, 'Seychelles', 'SC', 'SYC'),
    (694, 'Sierra Leone', 'SL', 'SLE'), (702, 'Singapour', 'SG', 'SGP'),
    (703, 'Slovaquie', 'SK', 'SVK'), (704, 'Viêt Nam', 'VN', 'VNM'), (705, 'Slovénie', 'SI', 'SVN'),
    (706, 'Somalie', 'SO', 'SOM'), (710, 'Afrique du Sud', 'ZA', 'ZAF'),
    (716, 'Zimbabwe', 'ZW', 'ZWE'), (724, 'Espagne', 'ES', 'ESP'), (728, 'Sud-Soudan', 'SS', 'SSD'),
    (732, 'Sahara occidental', 'EH', 'ESH'), (736, 'Soudan', 'SD', 'SDN'),
    (740, 'Suriname', 'SR', 'SUR'), (744, 'Svalbard et Jan Mayen', 'SJ', 'SJM'),
    (748, 'Eswatini', 'SZ', 'SWZ'), (752, 'Suède', 'SE', 'SWE'), (756, 'Suisse', 'CH', 'CHE'),
    (760, 'Syrie', 'SY', 'SYR'), (762, 'Tadjikistan', 'TJ', 'TJK'), (764, 'Thaïlande', 'TH', 'THA'),
    (768, 'Togo', 'TG', 'TGO'), (772, 'Tokelau', 'TK', 'TKL'), (776, 'Tonga', 'TO', 'TON'),
    (780, 'Trinité-et-Tobago', 'TT', 'TTO'), (784, 'Émirats Arabes Unis', 'AE', 'ARE'),
    (788, 'Tunisie', 'TN', 'TUN'), (792, 'Turquie', 'TR', 'TUR'),
    (795, 'Turkménistan', 'TM', 'TKM'), (796, 'Îles Turques-et-Caïques', 'TC', 'TCA'),
    (798, 'Tuvalu', 'TV', 'TUV'), (800, 'Ouganda', 'UG', 'UGA'), (804, 'Ukraine', 'UA', 'UKR'),
    (807, 'Macédoine', 'MK', 'MKD'), (818, 'Égypte', 'EG', 'EGY'),
    (826, 'Royaume-Uni', 'GB', 'GBR'), (831, 'Guernesey', 'GG', 'GGY'),
    (832, 'Jersey', 'JE', 'JEY'), (833, 'Ile de Man', 'IM', 'IMN'), (834, 'Tanzanie', 'TZ', 'TZA'),
    (840, 'États-Unis', 'US', 'USA'), (850, 'Îles Vierges américaines', 'VI', 'VIR'),
    (854, 'Burkina Faso', 'BF', 'BFA'), (858, 'Uruguay', 'UY', 'URY'),
    (860, 'Ouzbékistan', 'UZ', 'UZB'), (862, 'Venezuela', 'VE', 'VEN'),
    (876, 'Wallis-et-Futuna', 'WF', 'WLF'), (882, 'Samoa', 'WS', 'WSM'),
    (887, 'Yémen', 'YE', 'YEM'), (894, 'Zambie', 'ZM', 'ZMB')
) as known (id, name, code2, code3)
where not exists (select 1 from col.country as present where present.country_id = known.id);

insert into col.dbversion (dbversion_number, dbversion_date) values ('2.5', '2020-11-16');
