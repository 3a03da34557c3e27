"""The table of networks compared in 8 and 32 bits."""

from types import SimpleNamespace

from quorate.cli.render import training
from quorate.ensemble.training.quantisation import Agreement, Comparison


def shown(metrics, capsys, recipe="vote"):
    trained = SimpleNamespace(manifest=SimpleNamespace(metrics=metrics, recipe=recipe, synthetic=True))
    training._show_bits(trained)
    return capsys.readouterr().out


def test_each_network_is_listed_with_the_precision_it_is_served_in(capsys):
    found = Comparison(
        rows=31_800,
        classes={"nhits": 0.9987, "patchtst": 0.9942},
        loss={"nhits": (1.0716, 1.0717), "patchtst": (1.1007, 1.1010)},
        decisions={"classic": Agreement(0, None), "calibrated": Agreement(3_588, 0.9955)},
        kept=("nhits",),
    )
    lines = shown({"int8": found.to_json()}, capsys).splitlines()
    (nhits,), (patchtst,) = ([line.split() for line in lines if name in line] for name in ("nhits", "patchtst"))
    assert nhits == ["nhits", "99.87%", "1.0716", "1.0717", "8", "bits"]
    assert patchtst == ["patchtst", "99.42%", "1.1007", "1.1010", "32", "bits"]
    assert "[SYNTHETIC] In 8 bits, on 31,800 rows of validation" in lines[0]
    assert lines[-2:] == ["policy classic: never acts", "policy calibrated: acts on 3,588 rows, the same on 99.55%"]


def test_errors_of_a_stack_are_in_squared_percent(capsys):
    found = Comparison(
        rows=623,
        classes={"lstm": 0.9968},
        loss={"lstm": (2.7799e-4, 2.7802e-4)},
        decisions={"stack": Agreement(115, 0.9913)},
        kept=(),
    )
    lines = shown({"int8": found.to_json()}, capsys, "stack").splitlines()
    (lstm,) = (line.split() for line in lines if "lstm" in line)
    assert lstm == ["lstm", "99.68%", "2.7799", "2.7802", "32", "bits"]
    assert any("MSE, squared percent" in line for line in lines)
    assert lines[-1] == "policy stack: acts on 115 rows, the same on 99.13%"


def test_nothing_is_printed_without_quantisation(capsys):
    assert shown({}, capsys) == ""
