"""Transcripts and scores as tables that SQL can ask: DuckDB in this process, in memory.

    from evals.warehouse import open_warehouse

    con = open_warehouse(["transcripts/examples"])
    con.sql("select item, outcome, count(*) from decisions group by all").show()

shape.py     what a view is
record.py    the views of debates as a whole, their lines and calls
floor.py     the views of turns, moves, votes and decisions
dossier.py   the views of positions and texts
results.py   the views of scores, and of what experiments declared
files.py     which files are meant; what is half written is left out
cells.py     which debate of an experiment belongs to which arm
opening.py   files to tables, then the doors shut: no other file can be read or written
asking.py    one question, its answer, and what is wrong with it
export.py    answers and views as files
"""

from evals.warehouse.opening import VIEWS as VIEWS
from evals.warehouse.opening import open_warehouse as open_warehouse
