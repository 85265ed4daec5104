# ruff: noqa: E501  (ids of tests)
"""Tests that were right for a chain that ended at 1.1, each with what is missing.

They run, and are reported as `xfailed`, or as `xpassed` when they are right again: the list has to
empty. A test that is not named here may not fail.
"""

OPEN = {
    "tests/installing/test_install.py::test_what_is_there_in_another_shape_is_told_and_never_changed[pg10]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_a_superuser_is_told_where_a_script_fails_as_the_owner_is[pg10-alter table col.label rename column label_fields to other]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_a_superuser_is_told_where_a_script_fails_as_the_owner_is[pg10-alter table col.sample_type drop column container_type_id cascade]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    'tests/runs/test_owners.py::test_a_superuser_is_told_where_a_script_fails_as_the_owner_is[pg10-create table col.printer (); alter table col.printer owner to "lab ""owner"""]': "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_a_trigger_of_the_owner_gets_no_rights_of_a_superuser_who_upgrades[pg10]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_default_privileges_of_whoever_runs_it_do_not_leak[pg10]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_owners_and_rights_are_the_same_whoever_runs_it[pg10]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_the_owners_default_privileges_are_respected[pg10]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/runs/test_owners.py::test_whoever_installs_owns_everything[pg10]": "PostgreSQL 10: an account that is no superuser may not make pgcrypto",
    "tests/installing/test_install.py::test_twice_changes_nothing[pg10]": "npm's 10 has no pg_dumpall, by which the test compares",
}
