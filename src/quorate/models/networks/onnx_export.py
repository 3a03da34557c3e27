"""Export of a torch module as a small, deterministic ONNX graph without paths of the machine."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

import torch
from torch import nn

from quorate.models.export import import_onnx
from quorate.models.onnx_graphs import BATCH

# Has layer normalisation as one operator; supported since ONNX Runtime 1.14.
_OPSET = 18


def to_graph(module: nn.Module, window: int, features: int, batch: int, name: str) -> bytes:
    """Export a module in evaluation mode: input (B, L, F) float32 with L and F fixed, one output (B, C).

    With L = 1, the input is (B, F).

    Args:
        module: to trace; its control flow must not depend on the input values.
        window: L.
        features: F.
        batch: fastest batch size, written into the metadata of the graph.
        name: of the graph.

    Raises:
        MissingExtraError: onnx is not installed.
    """
    onnx = import_onnx(f"export {name}")
    written = io.BytesIO()
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    with warnings.catch_warnings():
        # Of the tracing exporter: that it is deprecated (the newer one takes seconds and unrolls more), and that a
        # trace records one path through the code, which has only one.
        warnings.simplefilter("ignore")
        exporter.setLevel(logging.ERROR)
        try:
            torch.onnx.export(
                module,
                (torch.zeros(2, features) if window == 1 else torch.zeros(2, window, features),),
                written,  # type: ignore[arg-type]  # the tracing exporter accepts a buffer
                dynamo=False,
                input_names=["input"],
                output_names=["output"],
                dynamic_axes={"input": {0: "B"}, "output": {0: "B"}},
                opset_version=_OPSET,
            )
        finally:
            exporter.setLevel(level)
    model = onnx.load_from_string(written.getvalue())
    model.graph.name = name
    model.doc_string = ""
    model.graph.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""  # has file names and line numbers
        del node.metadata_props[:]
    _drop_unused_states(model.graph)
    del model.metadata_props[:]
    model.metadata_props.add(key=BATCH, value=str(batch))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _drop_unused_states(graph: Any) -> None:
    """Remove the names of unused outputs of recurrences: ONNX Runtime computes all named ones, such as every state."""
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    for node in graph.node:
        if node.op_type in ("LSTM", "GRU"):
            named = [name if name in read else "" for name in node.output]
            while not named[-1]:
                named.pop()
            del node.output[:]
            node.output.extend(named)
