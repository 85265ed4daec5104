"""Access rules of an installation, over files that years of administrators made."""

import pytest

from collec_migrations.postgres import configuration
from tests import accounts, sites
from tests.accounts import needs_root
from tests.installing.installations import RULES, Lab

HEAD = "local all postgres peer map=admin\n"
FILES = {
    "a broader rule above": f"{HEAD}local all all trust\nhost all all all trust\n",
    "comments and tabs": "# head \\\n\n\t# more\n"
    + HEAD.replace(" ", "\t")
    + "local\tall\tall\ttrust\n",
    "quoted names": f'{HEAD}local "{{name}}","x y" "{{name}}" trust\nhost all "{{name}}" all md5\n',
    "the guide's own": f"{HEAD}host all {{name}} all md5\nhost all {{name}} 127.0.0.1/32 reject\n",
    "a reject above": f"{HEAD}local all all reject\nhost all all all reject\n",
    "a group": f"{HEAD}local all +{{name}} trust\nhost all +{{name}} samehost trust\n",
    "nobody": HEAD,
    "no newline": f"{HEAD}local all all trust",
}
INCLUDES = {
    "an include above": f"include {{folder}}/extra.txt\n{HEAD}",
    "a folder above": f"include_dir {{folder}}/extra\n{HEAD}",
    "a list of names": f"local all @extra.txt.names trust\n{HEAD}host all all all trust\n",
}  # fmt: skip


def filled(text: str, lab: Lab) -> str:
    return text.replace("{name}", lab.name).replace("{folder}", str(lab.site.folder))


def check_it_is_so(lab: Lab) -> None:
    assert lab.enters() == ""
    assert lab.enters_by_socket() == ""
    for other in ("postgres", "template1"):
        assert "pg_hba.conf rejects" in lab.enters(other)
        assert "pg_hba.conf rejects" in lab.enters_by_socket(other)


def test_the_account_is_refused_elsewhere_whatever_the_file_was(lab: Lab) -> None:
    assert lab.install().exit_code == 0
    for name, text in FILES.items():
        old = filled(text, lab)
        lab.site.put_rules(old)
        done = lab.install(RULES)
        assert done.exit_code == 0, (name, done.output)
        assert (
            configuration.without_block(lab.site.hba.read_text(), f"install {lab.name}") == old
        ), name
        check_it_is_so(lab)


def test_included_files_count_from_16_on(lab: Lab) -> None:
    if lab.site.binaries.major < 16:
        pytest.skip("pg_hba.conf includes nothing before 16")
    folder = lab.site.folder
    (folder / "extra").mkdir(exist_ok=True)
    for file in ("extra.txt", "extra/one.conf"):
        (folder / file).write_text("local all all trust\nhost all all all trust\n")
    (folder / "extra.txt.names").write_text(f'"{lab.name}", other\n')
    assert lab.install().exit_code == 0
    for name, text in INCLUDES.items():
        lab.site.put_rules(filled(text, lab))
        assert lab.install(RULES).exit_code == 0, name
        check_it_is_so(lab)


def test_a_wrong_password_takes_the_new_rules_back(lab18: Lab) -> None:
    assert lab18.install().exit_code == 0
    done = lab18.install(RULES, password="another")
    assert done.exit_code == 3
    assert "password authentication failed" in done.stderr
    assert "as it was; everything else is there" in done.stderr
    assert "COLLEC_DB_PASSWORD" in done.stderr
    assert lab18.site.hba.read_text() == sites.RULES
    assert list(lab18.site.folder.glob("pg_hba.conf.*")) == []


def test_rules_are_proved_without_knowing_the_password(lab18: Lab) -> None:
    assert lab18.install().exit_code == 0
    done = lab18.install(RULES, password=None)
    assert done.exit_code == 0
    check_it_is_so(lab18)


def test_another_address_and_another_database_of_the_same_account(lab18: Lab) -> None:
    assert lab18.install(RULES, "--address", "10.0.0.0/8").exit_code == 0
    second = f"{lab18.name}_two"
    try:
        assert lab18.install(RULES, "--database", second).exit_code == 0
        assert lab18.enters() == lab18.enters(second) == ""
        assert "rejects" in lab18.enters("postgres")
        again = lab18.install(RULES, "--address", "10.0.0.0/8")
        assert again.exit_code == 0
        assert lab18.enters(second) == ""
        text = lab18.site.hba.read_text()
        assert text.count(">>> collec-migrations") == 1
        assert "10.0.0.0/8" in text
    finally:
        lab18.site.execute(f"drop database {second}")


def test_a_faulty_file_is_told_before_anything_is_made(lab18: Lab) -> None:
    faulty = f"{sites.RULES}host collec collec md5\n"
    lab18.site.hba.write_text(faulty)
    done = lab18.install(RULES)
    assert done.exit_code == 3
    assert "the server's access rules are faulty already: line 8" in done.stderr
    assert lab18.exists() == []
    assert "line 8" in lab18.install("--plan", RULES).stderr
    assert lab18.site.hba.read_text() == faulty


@needs_root
def test_who_cannot_write_the_file_gets_the_lines_before_anything_is_made(lab18: Lab) -> None:
    from tests.installing.test_install import INSTALL

    url = lab18.site.tcp("second_admin", "x", "postgres")
    lab18.site.execute("create role second_admin superuser login password 'x'")
    try:
        words = ("--database", lab18.name, "--owner", lab18.name)
        with accounts.spawn(INSTALL, url, *words, RULES, who=accounts.somebody()) as process:
            _, err = process.communicate(timeout=60)
        assert process.returncode == 3
        assert "the access rules were not written" in err
        assert f"local   {lab18.name}" in err
        assert lab18.exists() == []
        shown = accounts.run(INSTALL, url, *words, who=accounts.somebody())
        assert f"local   {lab18.name}" in shown
        assert lab18.enters(password="secret") == ""
    finally:
        lab18.drop_database()
        lab18.site.execute("drop owned by second_admin; drop role second_admin")
