"""`make lint-sql`: squawk reads the scripts of legacy_sql by the rules of .squawk.toml.

A new script has to pass; what it does on purpose it says with `-- squawk-ignore RULE`. The scripts
that were there before the lint are released: for them each finding is a warning.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RELEASED = frozenset(
    {
        *("col_create-1.0.sql", "col_create-1.1.sql", "gacl_create-1.0.sql", "gacl_create-1.1.sql"),
        *("upgrade-1.0-1.0.4.sql", "upgrade-1.0.4-1.0.5.sql", "upgrade-1.0.5-1.0.6.sql"),
        *("upgrade-1.0.6-1.0.8.sql", "upgrade-1.0.8-1.1.sql"),
        *("downgrade-1.0.4-1.0.sql", "downgrade-1.0.5-1.0.4.sql", "downgrade-1.0.6-1.0.5.sql"),
        *("downgrade-1.0.8-1.0.6.sql", "downgrade-1.1-1.0.8.sql", "drop-1.0.sql"),
    }
)


def main() -> int:
    """Return 0 when every new script passes."""
    scripts = sorted((ROOT / "legacy_sql").glob("*.sql"))
    old = [path for path in scripts if path.name in RELEASED]
    new = [path for path in scripts if path.name not in RELEASED]
    found = squawk(old).stdout.splitlines() if old else []
    warnings = sum(": warning: " in line for line in found)
    sys.stdout.write(f"released scripts: {len(old)}, with {warnings} findings that stay\n")
    sys.stdout.writelines(f"  {line}\n" for line in found if "--verbose" in sys.argv[1:])
    if not new:
        return 0
    done = squawk(new)
    sys.stdout.write(f"new scripts: {', '.join(path.name for path in new)}\n{done.stdout}")
    sys.stderr.write(done.stderr)
    return done.returncode


def squawk(scripts: list[Path]) -> subprocess.CompletedProcess[str]:
    """Run squawk, of this environment, on scripts."""
    command = [str(Path(sys.executable).parent / "squawk"), "--reporter", "gcc"]
    return subprocess.run(
        [*command, *(str(path.relative_to(ROOT)) for path in scripts)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
