"""The layout is the flow: imports point one way, there are no cycles, and each folder names its public surface."""

import ast
import subprocess
import sys
from dataclasses import replace
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import quorate
from quorate.core.settings import LightGBMSettings, ModelSettings, Settings, XGBoostSettings
from quorate.ensemble.training.train_ensemble import train
from quorate.market.synthetic import SyntheticMarket

ROOT = Path(quorate.__file__).parent
ORDER = (
    "core",
    "market",
    "features",
    "targets",
    "models",
    "ensemble",
    "trading",
    "evaluation",
    "panel",
    "lifecycle",
    "serving",
    "integrations",
    "cli",
)
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = ("torch", "xgboost", "lightgbm", "pandas", "ccxt", "sklearn", "scipy", "plotly", "onnx", "onnxmltools")


def module_name(path: Path) -> str:
    parts = ("quorate", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imports(path: Path, *, at_import: bool = False) -> set[str]:
    """Modules of ours that a file imports; with `at_import`, only those it imports while being imported."""
    found = set()
    for node in walk(ast.parse(path.read_text()), into_functions=not at_import):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name for name in names if name in MODULES}
    return found - {"quorate"}


def walk(tree, *, into_functions):
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not into_functions and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        yield node
        yield from walk(node, into_functions=into_functions)


def folder(module: str) -> str:
    return module.split(".")[1]


def test_every_folder_has_its_place_in_the_order():
    assert {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"} <= set(ORDER)


@pytest.mark.parametrize("path", [path for path in FILES if path.parent != ROOT], ids=module_name)
def test_imports_point_only_up_the_flow(path):
    here = ORDER.index(folder(module_name(path)))
    for name in imports(path):
        assert ORDER.index(folder(name)) <= here, f"{module_name(path)} imports {name}, which comes later in the flow"


def test_there_are_no_import_cycles():
    graph = {}
    for module, path in MODULES.items():
        graph[module] = {name for name in imports(path, at_import=True) if name != module}
        if path.name == "__init__.py":
            # A folder's face imports its files; they may name their own folder only through it, which is no cycle.
            graph[module] = {name for name in graph[module] if not name.startswith(f"{module}.")}
    TopologicalSorter(graph).prepare()


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
    assert sorted(quorate.__all__) == list(quorate.__all__) == sorted(quorate._PUBLIC)
    for name in quorate.__all__:
        assert callable(getattr(quorate, name))
    tree = ast.parse((ROOT / "__init__.py").read_text())
    typed = {node.asname for node in ast.walk(tree) if isinstance(node, ast.alias) and node.asname}
    assert typed == set(quorate.__all__)
    assert set(quorate.__all__) < set(dir(quorate))
    with pytest.raises(AttributeError, match="nonsense"):
        quorate.nonsense  # noqa: B018


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
    for needless in ("core.settings.networks", "core.settings.tree", "models.registry", "targets.splits", "market"):
        assert f"quorate.{needless}" not in loaded


def test_the_command_line_is_light():
    assert loaded_by("from quorate.cli.app import main; main(['--help'])") == set()


def test_the_live_path_needs_no_data_frame_and_no_training_library(tmp_path):
    """From a file to the decision, in a process where pandas and the training libraries could be loaded."""
    market = SyntheticMarket(seed=1, symbols=2, bars=400)
    market.write(tmp_path)
    panel = market.panel()
    trees = ModelSettings(xgboost=XGBoostSettings(trees=2), lightgbm=LightGBMSettings(trees=2))
    trained = train(
        panel,
        "1h",
        models=("xgboost", "lightgbm"),
        settings=replace(Settings(), models=trees),
        out=tmp_path / "bundles",
        measure=lambda *_: {},
        end=int(panel[market.names[0]].time[300]),
    )
    code = f"""
import quorate
[getattr(quorate, name) for name in quorate.__all__]
candles = quorate.load_candles({str(tmp_path)!r}, {market.names[0]!r}, "1h")
bundle = quorate.load_bundle({str(trained.path)!r})
assert bundle.predict(candles).votes
assert len(bundle.predict_frame(candles)) == 400
"""
    assert loaded_by(code) == set()
