"""From nothing to a working installation; the settings of the application."""

from collec_migrations.install import application_check, application_settings
from collec_migrations.install.installation import Done, Plan, after, install, locked, plan
from collec_migrations.install.resources import Resource
from collec_migrations.install.state import Desired, check_name, networks

__all__ = [
    "Desired",
    "Done",
    "Plan",
    "Resource",
    "after",
    "application_check",
    "application_settings",
    "check_name",
    "install",
    "locked",
    "networks",
    "plan",
]
