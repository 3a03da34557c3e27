"""Construction of the nodes and constants of an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np


class Writer:
    """Nodes and constants of a graph; each node has one output, named by its position.

    Args:
        name: prefix of all names.
    """

    def __init__(self, name: str) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._name = name

    def __call__(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        output = f"{self._name}, {len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def constant(self, name: str, values: Any) -> str:
        """Name of a constant, added on first use."""
        from onnx import numpy_helper

        name = f"{self._name}: {name}"
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(values, order="C"), name)
        return name
