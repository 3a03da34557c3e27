"""Operator -> rule of its shapes, and its time for an element or a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from quorate.models.onnx_graphs import products, shapes
from quorate.models.onnx_graphs.parts import DOUBLE, FLOAT, Node
from quorate.models.onnx_graphs.products import Product
from quorate.models.onnx_graphs.shapes import Inputs, Rule

# Upper limits of measured times, in ns: of an element that is read or written, in most operators and in those that are
# slow; of a multiplication of two matrices by the type of their elements; of a step of any other product.
_ELEMENT, _SLOW_ELEMENT = 20.0, 100.0
_MULTIPLICATION: Mapping[int, float] = {FLOAT: 0.1, DOUBLE: 0.3}
_STEP = 1.5

# Time of a node of any size, in ns.
_CALL = 2_000.0

_BY_RULE: Mapping[Rule, str] = {
    shapes.broadcast: """
        Abs Acos Acosh Add And Asin Asinh Atan Atanh BiasGelu BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Cast
        Ceil Celu Clip Cos Cosh Div Elu Equal Erf Exp FastGelu Floor Gelu Greater GreaterOrEqual HardSigmoid HardSwish
        IsInf IsNaN LeakyRelu Less LessOrEqual Log Max Mean Min Mish Mod Mul Neg Not Or PRelu Pow QuickGelu Reciprocal
        Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Sub Sum Swish Tan Tanh ThresholdedRelu Where
        Xor
    """,
    shapes.same: """
        BatchNormalization Binarizer CumSum DequantizeLinear Dropout GroupNormalization Hardmax Identity Imputer
        InstanceNormalization LayerNormalization LogSoftmax LpNormalization MeanVarianceNormalization Normalizer
        QuantizeLinear RMSNormalization Scaler ScatterElements ScatterND SimplifiedLayerNormalization
        SkipLayerNormalization Softmax Trilu CastLike
    """,
    shapes.quantised: "DynamicQuantizeLinear",
    shapes.reduced: """
        ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
        ReduceSumSquare
    """,
    shapes.arg: "ArgMax ArgMin",
    shapes.concatenated: "Concat",
    shapes.split: "Split",
    shapes.sliced: "Slice",
    shapes.gathered: "Gather",
    shapes.indexed: "GatherElements",
    shapes.transposed: "Transpose",
    shapes.reshaped: "Reshape",
    shapes.flattened: "Flatten",
    shapes.squeezed: "Squeeze",
    shapes.unsqueezed: "Unsqueeze",
    shapes.expanded: "Expand",
    shapes.tiled: "Tile",
    shapes.padded: "Pad",
    shapes.filled: "ConstantOfShape",
    shapes.ranged: "Range",
    shapes.scalar: "Size",
    shapes.one_hot: "OneHot",
    shapes.top: "TopK",
    shapes.columns: "ArrayFeatureExtractor",
    shapes.joined: "FeatureVectorizer",
}
_RULES: Mapping[str, Rule] = {name: rule for rule, names in _BY_RULE.items() for name in names.split()}

# Operators that are slow for their size: sorts, remainders, powers and functions of the widest numbers.
_SLOW = frozenset(["TopK", "Mod", "Pow", "Tan", "Asinh", "Acosh", "Atanh", "ScatterElements", "ScatterND"])

# Operator -> rule, and the places of the two inputs that are multiplied.
_PRODUCTS: Mapping[str, tuple[Callable[[int, int, Node, Inputs], Product], int, int]] = {
    **dict.fromkeys(
        ("MatMul", "MatMulInteger", "FusedMatMul", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"),
        (products.matrices, 0, 1),
    ),
    "QLinearMatMul": (products.matrices, 0, 3),
    "Gemm": (products.gemm, 0, 1),
    "FusedGemm": (products.gemm, 0, 1),
    "QGemm": (products.gemm, 0, 3),
    "Einsum": (products.einsum, 0, 1),
    "Conv": (products.convolution, 0, 1),
    "ConvInteger": (products.convolution, 0, 1),
    "FusedConv": (products.convolution, 0, 1),
    "QLinearConv": (products.convolution, 0, 3),
    **dict.fromkeys(("MaxPool", "AveragePool"), (products.pooling, 0, 0)),
    **dict.fromkeys(("GlobalAveragePool", "GlobalMaxPool"), (products.pooling_all, 0, 0)),
    **dict.fromkeys(("SVMClassifier", "SVMRegressor"), (products.forest, 0, 0)),
    "LSTM": (products.recurrent, 4, 0),
    "DynamicQuantizeLSTM": (products.quantised_recurrent, 4, 0),
    "GRU": (products.recurrent, 3, 0),
    "RNN": (products.recurrent, 1, 0),
    **dict.fromkeys(
        [
            "TreeEnsembleClassifier",
            "TreeEnsembleRegressor",
            "TreeEnsemble",
            "LinearClassifier",
            "LinearRegressor",
            "SVMClassifier",
            "SVMRegressor",
        ],
        (products.forest, 0, 0),
    ),
}

#: Operators whose shapes follow from those of their inputs.
SHAPED = frozenset({*_RULES, *_PRODUCTS, "Constant", "Shape", "If", "Scan"})


def apply(node: Node, inputs: Inputs) -> tuple[list[shapes.Shape], float]:
    """Shapes of the outputs of a node, and an upper limit of its time in ns.

    Raises:
        UnknownShape: they depend on the values of a run.
    """
    if node.operator in _PRODUCTS:
        rule, a, b = _PRODUCTS[node.operator]
        found, steps = rule(a, b, node, inputs)
        product = rule in (products.matrices, products.gemm)
        kind = shapes.first(inputs).kind
        took = steps * (_MULTIPLICATION.get(kind, _STEP) if product else _STEP)
    else:
        found, took = _RULES[node.operator](node, inputs), 0.0
    elements = sum(value.size for value in inputs if value is not None)
    elements += sum(shapes.size_of(shape) for shape, name in zip(found, node.outputs, strict=False) if name)
    return found, _CALL + took + elements * (_SLOW_ELEMENT if node.operator in _SLOW else _ELEMENT)
