"""Run a notebook from top to bottom; fail where a cell fails. With --write, keep the outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main() -> None:
    """Run the notebook named on the command line."""
    path = Path(sys.argv[1])
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=1200, kernel_name="python3").execute()
    if "--write" in sys.argv:
        for cell in notebook.cells:  # warnings name folders of the machine
            if cell.cell_type == "code":
                cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
