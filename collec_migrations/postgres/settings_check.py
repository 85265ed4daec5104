"""Whether the server takes a value: its own check cannot tell for what needs a restart. Pure."""

from dataclasses import dataclass

TRUE_OR_FALSE = ("on", "off", "true", "false", "yes", "no", "1", "0")
BYTES = {"B": 1, "kB": 1024, "MB": 1024**2, "GB": 1024**3, "TB": 1024**4}
MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What pg_settings says of a setting."""

    name: str
    kind: str
    """`vartype`: bool, enum, integer, real, string."""
    unit: str
    low: str
    high: str
    choices: tuple[str, ...]
    restart: bool
    """Whether the server has to start again to take another value."""


def fault(setting: Setting, value: str) -> str:
    """Return why the server would refuse a value; empty when it takes it."""
    if setting.kind == "bool":
        return "" if value.lower() in TRUE_OR_FALSE else "it is on or off"
    if setting.kind == "enum":
        allowed = ", ".join(setting.choices)
        # Aliases such as wal_level = hot_standby are not listed, but the server knows them.
        known = value.lower() in (choice.lower() for choice in setting.choices)
        return "" if known or not setting.restart else f"it is one of {allowed}"
    if setting.kind not in ("integer", "real"):
        return ""
    number = _number(value, setting.unit)
    if number is None:
        return f"it is a number{f' in {setting.unit}' if setting.unit else ''}"
    if not float(setting.low) <= number <= float(setting.high):
        return f"it is between {setting.low} and {setting.high} {setting.unit}".rstrip()
    return ""


def _number(text: str, unit: str) -> float | None:
    """Return a number in the setting's own unit, such as 8kB; None when it is none."""
    digits = text.strip().rstrip("BkMGTusmindh ")
    suffix = text.strip()[len(digits) :].strip()
    try:
        number = float(int(digits, 0)) if "." not in digits else float(digits)
    except ValueError:
        return None
    if not suffix:
        return number
    scale = BYTES if unit.endswith("B") else MILLISECONDS
    base = unit.lstrip("0123456789")
    if suffix not in scale or base not in scale:
        return None
    return number * scale[suffix] / (scale[base] * int(unit[: -len(base)] or 1))
