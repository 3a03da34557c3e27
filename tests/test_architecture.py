"""The architecture: storeys import downwards only, there are no import cycles, folders name their public surface."""

import ast
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import quorate
from quorate.core.settings import LightGBMSettings, ModelSettings, Settings, XGBoostSettings
from quorate.ensemble.training.train_ensemble import TrainingSpec, train_ensemble
from quorate.market.synthetic import SyntheticMarket

ROOT = Path(quorate.__file__).parent

# Each storey may import those above it in this list; rooms of one storey do not import each other.
STOREYS = (
    ("core",),
    ("market", "features"),
    ("targets",),
    ("models", "trading"),
    ("llm",),
    ("ensemble", "book"),
    ("evaluation",),
    ("workflows",),
    ("lifecycle",),
    ("serving", "integrations"),
    ("cli",),
)
# Rooms inside a storey that have an order, lowest first.
ROOMS = {
    "ensemble": (
        "evidence",
        "calibration",
        "voting",
        "selection",
        "bundle",
        "stack",
        "inference",
        "series",
        "training",
    ),
    "book": ("panel", "sleeves", "portfolio", "training", "bundle"),
    "evaluation": (
        *(
            "statistics",
            "metrics",
            "baselines",
            "verdict",
            "monte_carlo",
            "feature_selection",
            "lookahead",
            "walk_forward",
            "out_of_fold",
            "book",
        ),
        *("report", "cards"),
    ),
    "trading": (
        *("account", "sizing", "guards", "ladder", "journal", "engine", "oversight", "account_rules", "backtest"),
        "paper",
    ),
}
# May import anything; nothing imports it.
TESTING = "testing"
# A flat folder of more files than this has more than one subject.
MOST_FILES = 16

STOREY = {folder: number for number, folders in enumerate(STOREYS) for folder in folders}
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = (
    "torch",
    "xgboost",
    "lightgbm",
    "catboost",
    "fracast",
    "pandas",
    "ccxt",
    "sklearn",
    "scipy",
    "onnx",
    "onnxmltools",
    "mcp",
    "optuna",
    "gymnasium",
    "stable_baselines3",
    "dask",
    "distributed",
    "ray",
)


def module_name(path: Path) -> str:
    parts = ("quorate", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports(path: Path) -> set[str]:
    """Modules of the package that a file imports: anywhere in it, under TYPE_CHECKING and inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            # `from folder import file` needs the file; `from folder import name` needs the folder's own module.
            files = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in MODULES else node.module for name in files]
        found |= {name for name in names if name in MODULES}
    return found


def folder(module: str) -> str:
    return module.split(".")[1]


def test_every_folder_has_its_storey():
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= {*STOREY, TESTING}


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != ROOT], ids=module_name)
def test_imports_point_only_downwards(path):
    module = module_name(path)
    here = folder(module)
    for name in imports(path) - {module}:
        assert name != "quorate", f"{module} imports the package itself"
        there = folder(name)
        if here in (there, TESTING):
            continue
        assert there != TESTING, f"{module} imports {name}"
        assert STOREY[there] < STOREY[here], f"{module} imports {name}, which is not below it"


@pytest.mark.parametrize("storey", ROOMS)
def test_rooms_inside_a_storey_import_only_lower_ones(storey):
    order = ROOMS[storey]
    for module, path in MODULES.items():
        parts = module.split(".")
        if parts[1:2] != [storey] or len(parts) < 3 or parts[2] not in order:
            continue
        for name in imports(path):
            other = name.split(".")
            if other[1:2] == [storey] and len(other) > 2 and other[2] in order:
                assert order.index(other[2]) <= order.index(parts[2]), f"{module} imports {name}"


def test_there_are_no_import_cycles():
    graph = {}
    for module, path in MODULES.items():
        graph[module] = imports(path) - {module}
        if path.name == "__init__.py":
            # A folder's face imports its files; they may name their own folder only through it, which is no cycle.
            graph[module] = {name for name in graph[module] if not name.startswith(f"{module}.")}
    TopologicalSorter(graph).prepare()


def test_no_folder_is_a_pile():
    counts = Counter(path.parent for path in FILES if path.name != "__init__.py")
    piles = {str(folder.relative_to(ROOT)): count for folder, count in counts.items() if count > MOST_FILES}
    # Sections of the settings are alike: one file a section.
    assert piles.keys() <= {"core/sections"}


def test_no_two_public_classes_share_a_name():
    places = {}
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module_name(path))
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


FACES = [path for path in FILES if path.name == "__init__.py" and path.parent not in (ROOT, ROOT / "cli")]


@pytest.mark.parametrize("path", FACES, ids=module_name)
def test_a_folder_names_exactly_what_it_imports_for_others(path):
    face = import_module(module_name(path))
    imported = {
        alias.asname or alias.name: node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith(module_name(path) + ".")
        for alias in node.names
    }
    assert set(face.__all__) == set(imported)
    for name, module in imported.items():  # also where a name is imported only when it is asked for
        assert getattr(face, name) is getattr(import_module(module), name)


def test_the_public_surface_is_all_there():
    assert sorted(quorate.__all__) == list(quorate.__all__)
    for name in quorate.__all__:
        assert callable(getattr(quorate, name))
    tree = ast.parse((ROOT / "__init__.py").read_text())
    typed = {node.asname for node in ast.walk(tree) if isinstance(node, ast.alias) and node.asname}
    assert typed - {"__version__"} == set(quorate.__all__) - {"features"}
    assert set(quorate.__all__) < set(dir(quorate))
    with pytest.raises(AttributeError, match="nonsense"):
        quorate.nonsense  # noqa: B018


def test_the_function_features_survives_imports_of_its_folder():
    imports = "import quorate; from quorate.features import Bars; import quorate.features.build_matrix"
    subprocess.run([sys.executable, "-c", f"{imports}; quorate.features.__call__"], check=True)


def loaded_by(code: str) -> set[str]:
    """Heavy libraries in a fresh process after it has run some code."""
    code += f"\nimport sys; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ast.literal_eval(done.stdout.strip().splitlines()[-1]))


def test_importing_quorate_is_light():
    assert loaded_by("import quorate") == set()
    code = "import quorate, sys; print([m for m in ('numpy', 'talib', 'pyarrow', 'onnxruntime') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_bundle_is_loaded_without_what_trains_one():
    code = "import quorate, sys; quorate.load_bundle; print([name for name in sys.modules if 'quorate.' in name])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout.strip()))
    assert "quorate.ensemble.inference.loading" in loaded
    for needless in ("core.sections.networks", "core.settings", "models.registry", "targets.splits", "market"):
        assert f"quorate.{needless}" not in loaded


def test_the_command_line_is_light():
    assert loaded_by("from quorate.cli.app import main; main(['--help'])") == set()


def test_the_live_path_needs_no_data_frame_and_no_training_library(tmp_path):
    """From a file to the decision, in a process where pandas and the training libraries could be loaded."""
    market = SyntheticMarket(seed=1, symbols=2, bars=400)
    market.write(tmp_path)
    panel = market.panel()
    trees = ModelSettings(xgboost=XGBoostSettings(trees=2), lightgbm=LightGBMSettings(trees=2))
    trained = train_ensemble(
        panel,
        "1h",
        TrainingSpec(
            models=("xgboost", "lightgbm"),
            settings=replace(Settings(), models=trees),
            end=int(panel[market.names[0]].time[300]),
        ),
        tmp_path / "bundles",
    )
    code = f"""
import quorate
[getattr(quorate, name) for name in quorate.__all__]
candles = quorate.load_candles({str(tmp_path)!r}, {market.names[0]!r}, "1h")
bundle = quorate.load_bundle({str(trained.path)!r})
assert bundle.predict(candles).votes
assert quorate.explain(bundle, candles, {market.names[0]!r}).trees
assert len(bundle.predict_frame(candles)) == 400
"""
    assert loaded_by(code) == set()
