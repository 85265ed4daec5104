-- Upgrade from 25.0 to 26.0: several optical codes and a logo on a label.

-- A unit that is not there was written N/A. Only a value that is nothing else becomes empty, in
-- both spellings of JSON; choices of a list stay, because samples hold them.
update col.metadata
set metadata_schema = regexp_replace(
        metadata_schema::text, '(:[ \t\r\n]*)"[Nn]\\?/[Aa]"', '\1""', 'g'
    )::json
where json_typeof(metadata_schema) = 'array'
  and metadata_schema::text ~ ':[ \t\r\n]*"[Nn]\\?/[Aa]"';

create table col.label_optical (
    label_optical_id serial not null,
    label_id         integer not null,
    barcode_id       integer not null,
    content_type     smallint not null default 1,
    radical          varchar,
    optical_content  varchar not null,
    constraint label_optical_pk primary key (label_optical_id),
    constraint label_fk
        foreign key (label_id) references col.label (label_id) match full
        on update cascade on delete restrict,
    constraint barcode_fk
        foreign key (barcode_id) references col.barcode (barcode_id) match full
        on update cascade on delete restrict
);

comment on table col.label_optical is
    'Optical codes of a label: the first one is the image UID.png, the second one UID-2.png.';
comment on column col.label_optical.content_type is
    '1: a JSON object of the fields in optical_content; 2: the one identifier in optical_content.';
comment on column col.label_optical.radical is
    'Text before the identifier, for example the base of a URI.';
comment on column col.label_optical.optical_content is
    'Fields in the code, separated by commas, or the name of the identifier.';

-- Codes that come back from the archive: the first one of a label is what was changed meanwhile,
-- unless the label says nothing of its own.
update col.label_optical
set barcode_id = coded.barcode_id,
    content_type = case when coded.identifier_only then 2 else 1 end,
    optical_content = coded.label_fields
from col.label as coded
where label_optical.label_optical_id = (
          select min(back.label_optical_id)
          from col.label_optical as back
          where back.label_id = coded.label_id
      )
  and (label_optical.barcode_id, label_optical.content_type = 2, label_optical.optical_content)
      <> (coded.barcode_id, coded.identifier_only, coded.label_fields)
  and (coded.barcode_id, coded.identifier_only, coded.label_fields)
      <> (1, false, 'uid,id,clp,db');

insert into col.label_optical (label_id, barcode_id, content_type, optical_content)
select coded.label_id,
       coded.barcode_id,
       case when coded.identifier_only then 2 else 1 end,
       coded.label_fields
from col.label as coded
where not exists (
    select 1 from col.label_optical as present where present.label_id = coded.label_id
)
order by coded.label_id;

alter table col.label
    drop column barcode_id,
    drop column identifier_only,
    drop column label_fields,
    add column logo bytea;

comment on column col.label.logo is
    'Picture for the label: the image LABELID-logo.png.';

-- The example shows everything that a label can. The file of its logo is named after its id.
with example as (
    insert into col.label (label_id, label_name, label_xsl)
    select fresh.label_id, 'Example', replace('<?xml version="1.0" encoding="UTF-8"?>
<xsl:stylesheet version="1.0"
    xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:fo="http://www.w3.org/1999/XSL/Format">
  <xsl:output method="xml" indent="yes"/>

  <xsl:template match="/objects">
    <fo:root>
      <fo:layout-master-set>
        <fo:simple-page-master master-name="label" page-width="10cm" page-height="5cm"
            margin-left="0.5cm" margin-top="0.5cm">
          <fo:region-body/>
        </fo:simple-page-master>
      </fo:layout-master-set>
      <fo:page-sequence master-reference="label">
        <fo:flow flow-name="xsl-region-body" font-family="sans-serif" font-size="9pt">
          <xsl:apply-templates select="object"/>
        </fo:flow>
      </fo:page-sequence>
    </fo:root>
  </xsl:template>

  <xsl:template match="object">
    <fo:table table-layout="fixed" width="9cm">
      <fo:table-column column-width="6cm"/>
      <fo:table-column column-width="3cm"/>
      <fo:table-body>
        <fo:table-row>
          <fo:table-cell>
            <fo:block>
              <fo:external-graphic src="LABELID-logo.png" scaling="uniform"
                  content-width="1cm" content-height="1cm"/>
              Labo Collec-Science
            </fo:block>
            <fo:block font-weight="bold">
              <xsl:value-of select="db"/>:<xsl:value-of select="uid"/>
            </fo:block>
            <fo:block>id: <fo:inline font-weight="bold"><xsl:value-of select="id"/></fo:inline></fo:block>
          </fo:table-cell>
          <fo:table-cell>
            <fo:block>
              <fo:external-graphic src="{uid}.png" scaling="uniform"
                  content-width="2.5cm" content-height="2.5cm"/>
            </fo:block>
          </fo:table-cell>
        </fo:table-row>
      </fo:table-body>
    </fo:table>
    <fo:block text-align="center">
      <fo:external-graphic src="{uid}-2.png" scaling="non-uniform"
          content-width="9cm" content-height="1cm"/>
    </fo:block>
    <fo:block>Risque: <fo:inline font-weight="bold"><xsl:value-of select="clp"/></fo:inline></fo:block>
    <xsl:if test="position() != last()">
      <fo:block page-break-after="always"/>
    </xsl:if>
  </xsl:template>
</xsl:stylesheet>', 'LABELID', fresh.label_id::text)
    from (select nextval('col.label_label_id_seq') as label_id
          where not exists (select 1 from col.label where label_name = 'Example')) as fresh
    returning label_id
)
insert into col.label_optical (label_id, barcode_id, content_type, optical_content)
select example.label_id, code.barcode_id, 2, code.content
from example
cross join (values (1, 'uuid'), (2, 'uid')) as code (barcode_id, content)
join col.barcode using (barcode_id)
order by code.barcode_id;

insert into col.dbparam (
    dbparam_name, dbparam_value, dbparam_description, dbparam_description_en
)
select 'labelDebugMode', '0',
       'Si à 1, les fichiers générés lors de la création des étiquettes ne sont pas supprimés',
       'If set to 1, files generated when creating labels are not deleted'
where not exists (select 1 from col.dbparam where dbparam_name = 'labelDebugMode');

insert into col.dbversion (dbversion_number, dbversion_date) values ('26.0', '2025-11-01');
