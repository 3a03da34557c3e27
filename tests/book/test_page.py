"""The examples of the page about books run as they are shown."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "book.md"


def test_examples_run():
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)
