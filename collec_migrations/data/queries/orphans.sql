select {role}, {constraint_name}, (
    select count(*)
    from {table} as child
    where ({columns}) is not null
      and not exists (select 1 from {parent} as parent where {condition})
)
