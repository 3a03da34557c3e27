"""Style and scripts: what is vendored is what its registry has, and browsers may keep it."""

import hashlib
import json
import re

import pytest

from quorate.core.errors import QuorateError
from quorate.serving.dashboard.assets import CHARTS, FOLDER, Assets

VENDOR = FOLDER / "vendor"


def packages(folder):
    return json.loads((folder / "vendor.json").read_text())["packages"]


# Those of the dashboard, and the one that it shares with the report.
PACKAGES = [(folder, package) for folder in (VENDOR, CHARTS) for package in packages(folder)]


@pytest.mark.parametrize(("folder", "most"), [(VENDOR, 260_000), (CHARTS, 60_000)], ids=["dashboard", "report"])
def test_vendored_files_are_those_that_the_list_names(folder, most):
    listed = {name: file["sha256"] for package in packages(folder) for name, file in package["files"].items()}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    found.pop("vendor.json")
    assert found == listed
    assert sum(path.stat().st_size for path in folder.iterdir()) < most


@pytest.mark.parametrize(("folder", "package"), PACKAGES, ids=[package["name"] for _, package in PACKAGES])
def test_every_package_has_its_licence_and_version(folder, package):
    licence = {"0BSD": "Zero-Clause BSD", "Apache-2.0": "Apache License", "MIT": "MIT License"}[package["license"]]
    texts = [(folder / name).read_text() for name in package["files"] if ".LICENSE." in name]
    assert len(texts) == 1
    assert licence in texts[0]
    assert package["registry"].endswith(f"-{package['version']}.tgz")
    code = "".join((folder / name).read_text() for name in package["files"] if name.endswith(("js", "mjs")))
    assert package["version"] in code or package["name"] == "uplot"  # which does not say


def test_the_charts_keep_their_attribution():
    (charts,) = (package for package in packages(VENDOR) if package["name"] == "lightweight-charts")
    assert "lightweight-charts.NOTICE.txt" in charts["files"]
    assert "https://www.tradingview.com/" in (VENDOR / "lightweight-charts.NOTICE.txt").read_text()


def test_own_scripts_and_styles_name_no_other_host():
    own = [*FOLDER.rglob("*"), *(CHARTS.parent / "static").iterdir()]
    for path in own:
        if path.is_file() and path.parent != VENDOR:
            found = set(re.findall(r"https?://[^\s\"')]+", path.read_text()))
            assert found <= {"http://www.w3.org/2000/svg"}, path


def test_an_address_changes_with_any_content(tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    first = Assets(tmp_path)
    assert first.address("a.css") == f"/static/{first.version}/a.css"
    (tmp_path / "a.css").write_text("b {}")
    assert Assets(tmp_path).version != first.version
    with pytest.raises(QuorateError, match=r"b\.css"):
        first.address("b.css")


@pytest.mark.integration
def test_browsers_keep_the_files_of_this_version(http):
    assets = Assets()
    address = assets.address("vendor/lightweight-charts.mjs")
    found = http.get(address)
    assert found.status_code == 200
    assert found.headers["content-type"] == "text/javascript; charset=utf-8"
    assert found.content == (VENDOR / "lightweight-charts.mjs").read_bytes()
    assert "immutable" in found.headers["cache-control"]
    again = http.get(address, headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    old = http.get(address.replace(assets.version, "0123456789ab"))
    assert old.content == found.content
    assert old.headers["cache-control"] == "no-store"


@pytest.mark.integration
def test_nothing_else_is_served(http):
    for name in ("", "none.css", "../assets.py", "..%2fassets.py", "%2e%2e/assets.py", "vendor"):
        found = http.get(f"/static/{Assets().version}/{name}", follow_redirects=True)
        assert found.status_code == 404, name
