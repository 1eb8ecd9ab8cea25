"""From a setting's files to its value, and where settings are found.

A setting is a folder with `setting.yaml` and one `<party>.yaml` for each party. Loading reports
every problem of every file at once, each as `file:line:column`, and guesses nothing.

    finding.py      where settings are
    placed.py       YAML as values that know where they stand
    shapes.py       which keys a file has and what may stand there; the JSON Schemas
    names.py        names that lead nowhere or stand twice
    coherence.py    whether the files fit together
    workability.py  whether the rules of procedure can be carried out
    folder.py       all of it for one folder
"""

from harness.loading.finding import find_setting, personas_root, settings_available
from harness.loading.folder import Loaded, display, examine, load, load_setting
from harness.loading.shapes import schemas

__all__ = [
    "Loaded",
    "display",
    "examine",
    "find_setting",
    "load",
    "load_setting",
    "personas_root",
    "schemas",
    "settings_available",
]
