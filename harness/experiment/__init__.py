"""Experiments: what is compared, in which debates, and where they lie. Holds none.

shapes.py    the experiment file: arms, scenarios, seeds, what was declared beforehand
reading.py   from the file to the value, every problem with its place
design.py    from the value to the debates it asks for
folder.py    where the debates lie, and what was declared when
"""
