"""Nodes of a graph as they are written."""

from __future__ import annotations

from typing import Any

import numpy as np


class Writer:
    """Nodes with one output each, which is named by its place.

    Args:
        name: what all names begin with.
    """

    def __init__(self, name: str) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}
        self._name = name

    def __call__(self, operator: str, *read: str, domain: str = "", **settings: Any) -> str:
        """Write a node; the name of its output."""
        from onnx import helper

        made = f"{self._name}, {len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, read, [made], domain=domain, **settings))
        return made

    def constant(self, name: str, values: Any) -> str:
        """The name of a constant, made when it is first asked for."""
        from onnx import numpy_helper

        name = f"{self._name}: {name}"
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.array(values, order="C"), name)
        return name
