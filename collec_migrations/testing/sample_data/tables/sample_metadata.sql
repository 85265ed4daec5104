-- One document for each sample, up to 1.0.8.
select %(sample_first)s + n as sample_id,
  '{"weight": ' || (mod(a, 9000) / 8.0)::real || ', "taxon": ["Alosa alosa", "Anguilla anguilla"],'
    || ' "sex": ' || (array['"male"', '"female"', 'null'])[1 + mod(b, 3)]
    || ', "note": "prélevé à ' || mod(c, 24) || ' h"}' as data
from made
