"""Compare two persona prompts from Python: state the comparison, hold it, read it.

It runs as it is, without a key, on the reference negotiator. That reads no prompt, so the honest
verdict is that the two are equivalent: put your own model in its place.
"""

import sys
from pathlib import Path

from evals import results_of
from evals.comparison.shapes import Results
from harness import run_experiment

EXPERIMENT = """\
id: two-prompts
question: Does a list of positions keep a delegation closer to its mandate than a summary does?
items: [libya, syria, sanctions, detained-citizens, nord-stream-2, human-rights]
seeds: 1
common: {model: reference, rules: {rounds: 1}}
arms:
  - {id: positions, prompt: dossier}
  - {id: summary, prompt: interests}
baseline: summary
primary: {metric: concordance/in_line, of: debate, better: higher, smallest: 0.1}
"""


def compare(folder: Path) -> Results:
    """Hold the debates in the folder, or those that are missing, and read what they came to."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "two-prompts.yaml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    held = run_experiment(file, out=folder / "debates", max_minutes=10)
    return results_of(held.folder.path, held.read)


if __name__ == "__main__":
    found = compare(Path(sys.argv[1] if len(sys.argv) > 1 else "two-prompts"))
    print(found.sentence, *found.cautions, sep="\n- ")  # noqa: T201 - the example's whole output
