"""A torch module as an ONNX graph: small, the same bytes each time, and nothing in it of where it was made."""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

import torch
from torch import nn

from quorate.core.errors import MissingExtraError
from quorate.models.runtime import BATCH

# Has layer normalisation as one operator, and is known to every runtime since ONNX Runtime 1.14.
_OPSET = 18


def to_graph(module: nn.Module, window: int, features: int, batch: int, name: str) -> bytes:
    """The graph of a module in evaluation mode: input (B, L, F) float32 with L and F fixed, one output (B, C).

    Args:
        module: what it does must not depend on the values it is given.
        window: L.
        features: F.
        batch: rows at which the graph is fastest; written into its metadata.
        name: of the graph.

    Raises:
        MissingExtraError: the library for ONNX is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError(
            f"export {name}", found=str(error), remedy="Run: pip install 'quorate[train]'"
        ) from error

    written = io.BytesIO()
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    with warnings.catch_warnings():
        # Of the tracing exporter: that it is the older one (the newer takes seconds and unrolls more), and that a
        # trace holds for one path through the code, which is the only one there is.
        warnings.simplefilter("ignore")
        exporter.setLevel(logging.ERROR)
        try:
            torch.onnx.export(
                module,
                (torch.zeros(2, window, features),),
                written,  # type: ignore[arg-type]  # the tracing exporter writes to memory, too
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
        node.doc_string = ""  # where in which file it was traced
        del node.metadata_props[:]
    _ask_only_for_what_is_read(model.graph)
    del model.metadata_props[:]
    model.metadata_props.add(key=BATCH, value=str(batch))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _ask_only_for_what_is_read(graph: Any) -> None:
    """The exporter names all outputs of an LSTM, and the runtime writes what has a name: each bar's state, for one."""
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    for node in graph.node:
        if node.op_type == "LSTM":
            named = [name if name in read else "" for name in node.output]
            while not named[-1]:
                named.pop()
            del node.output[:]
            node.output.extend(named)
