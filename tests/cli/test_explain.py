"""`quorate explain`: a page of text, and the document."""

import json


def test_the_decision_comes_first_and_then_what_contributed(quorate_program, world):
    done = quorate_program("explain", "SYNA/USDT:USDT", "--bundle", world.bundle, "--data", world.data)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    assert lines[0].startswith("SYNA/USDT:USDT 20")
    assert "what moved it from its mean over 8 bars" in done.stdout
    header = next(line.split() for line in lines if "technical" in line)
    assert header == ["mean", "technical", "price", "volume", "volatility", "score"]
    rows = {line.split()[0]: line.split()[1:] for line in lines if len(line.split()) == 7}
    assert set(rows) >= {"xgb", "lgbm", "ensemble"}
    mean, *moved, score = map(float, rows["ensemble"])
    assert abs(mean + sum(moved) - score) <= 0.003  # of rounded figures
    assert sum("largest columns" in line for line in lines) == 2
    assert len(lines) <= 14
    assert "data is stale: the newest closed bar opened at 2024" in done.stderr
    asked = ("explain", "SYNA/USDT:USDT", "--bundle", world.bundle, "--data", world.data)
    at = quorate_program(*asked, "--at", "2024-02-05")
    assert (at.returncode, at.stderr) == (0, "")


def test_the_change_since_a_bar_as_a_document(quorate_program, world):
    command = ("explain", "SYNA/USDT:USDT", "--bundle", world.bundle, "--data", world.data, "--json")
    done = quorate_program(*command, "--at", world.seam, "--since", "2024-01-20")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["type"] == "TrainingSpanError"
    done = quorate_program(*command, "--at", "2024-02-05T12:10", "--since", "2024-02-05")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["time"], document["since"]) == ("2024-02-05T12:00:00Z", "2024-02-05T00:00:00Z")
    for own in (document["ensemble"], *document["members"].values()):
        for place in range(3):
            moved = sum(values[place] for values in own["contributions"].values())
            assert abs(own["base"][place] + moved - own["score"][place]) <= 1e-6
    missing = quorate_program(*command, "--since", "2035-01-01")
    assert missing.returncode == 2
    assert "--since" in json.loads(missing.stdout)["error"]["found"]
