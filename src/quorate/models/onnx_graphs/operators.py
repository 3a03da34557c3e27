"""Operators that graphs may have: those of inference on numbers.

Not among them: Loop, whose length is not known; operators on texts, sequences and maps; random numbers; training; and
operators of other domains.

Source: ONNX Operator Schemas; ONNX Runtime's contributed operators (ContribOperators.md).
"""

from __future__ import annotations

from collections.abc import Mapping

#: Domain of a node -> the domain of its operators.
DOMAINS: Mapping[str, str] = {
    "": "ai.onnx",
    "ai.onnx": "ai.onnx",
    "ai.onnx.ml": "ai.onnx.ml",
    "com.microsoft": "com.microsoft",
}

#: Refused for the time that they may take.
CONTROL_FLOW = frozenset({"Loop", "SequenceMap"})

_MATHS = """
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Ceil
    Clip Cos Cosh CumSum Div Equal Erf Exp Floor Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Log Max Mean Min
    Mod Mul Neg Not Or Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin
    ReduceProd ReduceSum ReduceSumSquare Round Sign Sin Sinh Sqrt Sub Sum Tan Tanh Where Xor
"""
_SHAPES = """
    Cast CastLike Compress Concat Constant ConstantOfShape DepthToSpace Expand EyeLike Flatten Gather GatherElements
    GatherND Identity NonZero OneHot Pad Range Reshape ReverseSequence ScatterElements ScatterND Shape Size Slice
    SpaceToDepth Split Squeeze Tile TopK Transpose Trilu Unique Unsqueeze
"""
_NETWORKS = """
    AveragePool BatchNormalization Celu Conv ConvTranspose ConvInteger DequantizeLinear Det Dropout
    DynamicQuantizeLinear Einsum Elu GRU Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool GroupNormalization
    HardSigmoid HardSwish Hardmax InstanceNormalization LRN LSTM LayerNormalization LeakyRelu LogSoftmax
    LpNormalization LpPool MatMul MatMulInteger MaxPool MeanVarianceNormalization Mish PRelu QLinearConv QLinearMatMul
    QuantizeLinear RMSNormalization RNN Relu Selu Shrink Sigmoid Softmax Softplus Softsign Swish ThresholdedRelu
    Upsample Resize If Scan
"""
_MACHINE_LEARNING = """
    ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LinearClassifier LinearRegressor Normalizer OneHotEncoder
    SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor
"""
_CONTRIBUTED = """
    BiasGelu BiasSoftmax DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul FastGelu FusedConv FusedGemm
    FusedMatMul Gelu MatMulInteger16 MatMulIntegerToFloat QAttention QGemm QLinearAdd QLinearAveragePool QLinearConcat
    QLinearGlobalAveragePool QLinearLeakyRelu QLinearMul QLinearReduceMean QLinearSigmoid QLinearSoftmax QuantizeLinear
    QuickGelu SimplifiedLayerNormalization SkipLayerNormalization
"""

#: Operators of the forest of a stack.
TREES = frozenset({"Cast", "Identity", "TreeEnsemble", "TreeEnsembleRegressor"})

#: Domain -> names of its operators.
OPERATORS: Mapping[str, frozenset[str]] = {
    "ai.onnx": frozenset((_MATHS + _SHAPES + _NETWORKS).split()),
    "ai.onnx.ml": frozenset(_MACHINE_LEARNING.split()),
    "com.microsoft": frozenset(_CONTRIBUTED.split()),
}
