"""Write how the ways went as JUnit XML, which CI services read. Pure."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from collec_migrations.testing.path_results import Outcome, Tried


def document(found: Sequence[Tried]) -> str:
    """Return the file: a suite for each server, a case for each way."""
    top = ET.Element("testsuites", {"name": "collec-migrations test-paths", **_counts(found)})
    for server in found:
        name = f"PostgreSQL {server.server_version}"
        suite = ET.SubElement(top, "testsuite", {"name": name, **_counts([server])})
        for one in server.outcomes:
            _add_case(suite, f"pg{server.major}", one)
    ET.indent(top)
    return ET.tostring(top, encoding="unicode", xml_declaration=True) + "\n"


def _counts(found: Sequence[Tried]) -> dict[str, str]:
    return {
        "tests": str(sum(len(server.outcomes) for server in found)),
        "failures": str(sum(len(server.failed) for server in found)),
        "errors": "0",
        "time": f"{sum(server.seconds for server in found):.3f}",
    }


def _add_case(suite: ET.Element, server: str, one: Outcome) -> None:
    seconds = (one.up or 0.0) + (one.back or 0.0)
    case = ET.SubElement(
        suite, "testcase", classname=server, name=one.way.title, time=f"{seconds:.3f}"
    )
    if one.failures:
        failure = ET.SubElement(case, "failure", message=_plain(one.failures[0].splitlines()[0]))
        failure.text = _plain("\n".join(one.failures))
    if one.remarks:
        ET.SubElement(case, "system-out").text = _plain("\n".join(one.remarks))


def _plain(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
