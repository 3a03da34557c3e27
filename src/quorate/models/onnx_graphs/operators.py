"""Operators that graphs may have: those of inference on numbers.

Not among them: Loop, whose length is not known; operators whose results have a size that depends on the values of a
run (NonZero, Compress, Unique); those whose time cannot be estimated well (LpPool, Det, Resize) or that models of rows
and windows do not have (ConvTranspose, SpaceToDepth); operators on texts, sequences and maps; random numbers; training;
and operators of other domains. `rules.py` has a rule for each that is.

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
    Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
    Ceil Clip Cos Cosh CumSum Div Equal Erf Exp Floor Greater GreaterOrEqual IsInf IsNaN Less LessOrEqual Log Max
    Mean Min Mod Mul Neg Not Or Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
    ReduceMin ReduceProd ReduceSum ReduceSumSquare Round Sign Sin Sinh Sqrt Sub Sum Tan Tanh Where Xor
"""
_SHAPES = """
    Cast CastLike Concat Constant ConstantOfShape Expand Flatten Gather GatherElements Identity OneHot Pad Range
    Reshape ScatterElements ScatterND Shape Size Slice Split Squeeze Tile TopK Transpose Trilu Unsqueeze
"""
_NETWORKS = """
    AveragePool BatchNormalization Celu Conv ConvInteger DequantizeLinear Dropout DynamicQuantizeLinear Einsum Elu
    GRU Gelu Gemm GlobalAveragePool GlobalMaxPool GroupNormalization HardSigmoid HardSwish Hardmax
    InstanceNormalization LSTM LayerNormalization LeakyRelu LogSoftmax LpNormalization MatMul MatMulInteger MaxPool
    MeanVarianceNormalization Mish PRelu QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN Relu Selu
    Shrink Sigmoid Softmax Softplus Softsign Swish ThresholdedRelu If Scan
"""
_MACHINE_LEARNING = """
    ArrayFeatureExtractor Binarizer FeatureVectorizer Imputer LinearClassifier LinearRegressor Normalizer
    SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier TreeEnsembleRegressor
"""
_CONTRIBUTED = """
    BiasGelu DequantizeLinear DynamicQuantizeLSTM DynamicQuantizeMatMul FastGelu FusedConv FusedGemm FusedMatMul
    Gelu MatMulIntegerToFloat QGemm QuantizeLinear QuickGelu SimplifiedLayerNormalization SkipLayerNormalization
"""

#: Operators of the forest of a stack.
TREES = frozenset({"Cast", "Identity", "TreeEnsemble", "TreeEnsembleRegressor"})

#: Domain -> names of its operators.
OPERATORS: Mapping[str, frozenset[str]] = {
    "ai.onnx": frozenset((_MATHS + _SHAPES + _NETWORKS).split()),
    "ai.onnx.ml": frozenset(_MACHINE_LEARNING.split()),
    "com.microsoft": frozenset(_CONTRIBUTED.split()),
}
