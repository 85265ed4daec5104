-- What the query of every table draws from: row number n, id, and four numbers a to d from 0 to
-- 2147483647 that depend on the seed, the table and n alone. hashint4 is PostgreSQL's own, the
-- same on every server and cheap; random() would depend on the order of execution.
made as (
  select n, %(first)s + n as id,
    a & 2147483647 as a, b & 2147483647 as b, c & 2147483647 as c, d & 2147483647 as d
  from generate_series(0, %(count)s - 1) as n,
    lateral (select hashint4(n # %(seed)s) as a) as first_draw,
    lateral (select hashint4(a) as b) as second_draw,
    lateral (select hashint4(b) as c) as third_draw,
    lateral (select hashint4(c) as d) as fourth_draw
)
