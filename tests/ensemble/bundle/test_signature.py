"""Signed bundles: only those of a trusted key load, and a manifest that was edited and sealed again is caught."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import pytest

from quorate import load_bundle
from quorate.cli.app import main
from quorate.core.configuration import load_settings
from quorate.core.errors import BundleError, SettingsError
from quorate.core.settings import BundleSettings
from quorate.ensemble.bundle.bundle_store import BundleStore
from quorate.ensemble.bundle.manifest import FILE_NAME
from quorate.ensemble.bundle.signature import FILE_NAME as SIGNATURES
from quorate.ensemble.series import load_series, publish
from quorate.workflows.inputs.predictors import load_predictor


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Private and public PEM files of two signers, made as documented."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        openssl("genpkey", "-algorithm", "ed25519", "-out", folder / f"{name}.pem")
        (folder / f"{name}.pem").chmod(0o600)
        openssl("pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub")
    openssl("genpkey", "-algorithm", "rsa", "-out", folder / "rsa.pem")
    (folder / "rsa.pem").chmod(0o600)
    return folder


@pytest.fixture
def copy(world, tmp_path):
    """The bundle in a folder of bundles, to be altered."""
    path = tmp_path / "bundles" / world.trained.path.name
    shutil.copytree(world.trained.path, path)
    return path


@pytest.fixture
def store(copy):
    store = BundleStore(copy.parent)
    store.promote(copy.name)
    return store


def trusted(keys, *names):
    return BundleSettings(trusted_keys=tuple(str(keys / name) for name in names))


def quorate(capsys, *arguments):
    capsys.readouterr()
    code = main(["bundle", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "PRIVATE KEY" not in out + err
    return code, out, err


def sign(capsys, copy, key):
    code, out, err = quorate(capsys, "sign", copy, "--key", key, "--json")
    assert code == 0, err
    return json.loads(out)["public_key"]


def test_an_unsigned_bundle_loads_only_without_trusted_keys(copy, store, keys):
    assert load_bundle(copy).id == copy.name
    series, _ = publish(store, [copy.name])
    for path in (copy, store.folder):
        with pytest.raises(BundleError, match="no signature"):
            load_bundle(path, trust=trusted(keys, "ours.pub"))
    with pytest.raises(BundleError, match="no signature"):
        load_series(series, trust=trusted(keys, "ours.pub"))


def test_a_signed_bundle_loads_with_its_key_by_every_name(copy, store, keys, capsys):
    public = sign(capsys, copy, keys / "ours.pem")
    series, _ = publish(store, [copy.name])
    for trust in (trusted(keys, "theirs.pub", "ours.pub"), BundleSettings(trusted_keys=(public,))):
        assert load_bundle(copy, trust=trust).id == copy.name
        assert load_bundle(store.folder, trust=trust).id == copy.name
        assert load_series(series, trust=trust).newest.id == copy.name
    with pytest.raises(BundleError, match=f"signatures by {re.escape(public[:10])}.* only"):
        load_bundle(copy, trust=trusted(keys, "theirs.pub"))
    sign(capsys, copy, keys / "theirs.pem")
    assert load_bundle(copy, trust=trusted(keys, "theirs.pub")).id == copy.name
    assert load_bundle(copy, trust=trusted(keys, "ours.pub")).id == copy.name
    assert quorate(capsys, "verify", copy, "--key", keys / "ours.pub")[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t["policy"].update(floor=0),
        lambda t: t["training_span"].update({"from": "2009-02-01T00:00:00Z"}),
    ],
)
def test_a_manifest_that_was_edited_and_sealed_again_is_caught(copy, keys, capsys, change):
    sign(capsys, copy, keys / "ours.pem")
    tree = json.loads((copy / FILE_NAME).read_text())
    change(tree)
    (copy / FILE_NAME).write_bytes(with_new_id(tree))
    assert load_bundle(copy).manifest.id != copy.name
    with pytest.raises(BundleError, match="does not fit the manifest"):
        load_bundle(copy, trust=trusted(keys, "ours.pub"))


def with_new_id(tree):
    from hashlib import sha256

    content = {key: value for key, value in tree.items() if key != "id"}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    tree = {"id": sha256(text.encode()).hexdigest()[:16], **content}
    return (json.dumps(tree, indent=1, ensure_ascii=False) + "\n").encode()


def test_the_setting_is_read_from_the_file_with_its_paths(copy, keys, capsys, tmp_path, monkeypatch):
    public = sign(capsys, copy, keys / "ours.pem")
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "ours.pub").write_bytes((keys / "ours.pub").read_bytes())
    (folder / "quorate.toml").write_text(f'[bundle]\ntrusted_keys = ["ours.pub", "{public}"]\n')
    settings = load_settings(folder / "quorate.toml")
    assert settings.bundle.trusted_keys == (str(folder / "ours.pub"), public)
    monkeypatch.chdir(folder)
    assert load_bundle(copy).id == load_predictor(copy, settings).id == copy.name
    (copy / SIGNATURES).unlink()
    for load in (load_bundle, lambda path: load_predictor(path, settings)):
        with pytest.raises(BundleError, match="no signature"):
            load(copy)
    code, out, _ = quorate(capsys, "verify", copy)
    assert code == 1
    assert "no signature" in out
    with pytest.raises(SettingsError, match="a list of files"):
        BundleSettings(trusted_keys="ours.pub")


@pytest.mark.parametrize("content", ["", "x", "a b\n", "\x00" * 9, "é ü\n", "A" * 43 + "= " + "A" * 88 + "\n"])
def test_a_damaged_signature_file_is_no_signature(copy, keys, content):
    (copy / SIGNATURES).write_text(content)
    with pytest.raises(BundleError, match="signature"):
        load_bundle(copy, trust=trusted(keys, "ours.pub"))


def test_keys_that_cannot_be_used_are_refused_without_their_content(copy, keys, capsys, tmp_path):
    secret = tmp_path / "open.pem"
    secret.write_bytes((keys / "ours.pem").read_bytes())
    secret.chmod(0o640)
    for key, words in (
        (secret, f"chmod 600 {secret}"),
        (keys / "rsa.pem", "another kind of key"),
        (tmp_path / "none.pem", "No such file"),
        (keys / "ours.pub", ""),
    ):
        code, _, err = quorate(capsys, "sign", copy, "--key", key)
        assert code == 1, key
        assert words in err.replace("\n", " ")
    assert not (copy / SIGNATURES).exists()
    sign(capsys, copy, keys / "ours.pem")
    for name in ("ours.pem", "rsa.pem", "gone"):
        with pytest.raises(BundleError):
            load_bundle(copy, trust=trusted(keys, name))


@pytest.fixture
def other(store):
    """Another bundle beside the first: the same members, and another figure in the manifest."""
    manifest = store.manifest(store.champion())
    files = {name: (store.path(manifest.id) / name).read_bytes() for name in manifest.files}
    _, made = store.publish(replace(manifest, metrics={**manifest.metrics, "more": {}}), files)
    assert made.id != manifest.id
    return made.id


def test_nothing_becomes_champion_that_loading_refuses(store, other, keys, capsys, tmp_path, monkeypatch):
    first = store.champion()
    for trust in (trusted(keys, "ours.pub"), trusted(keys, "gone")):
        with pytest.raises(BundleError, match=f"could not make {other} the champion of"):
            store.promote(other, trust=trust)
    (tmp_path / "quorate.toml").write_text(f'[bundle]\ntrusted_keys = ["{keys / "ours.pub"}"]\n')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="no signature"):
        store.promote(other)
    code, out, err = quorate(capsys, "promote", other, "--bundles", store.folder)
    assert code == 1
    assert not out
    for words in ("found no signature", "expected a signature by a key of the setting bundle.trusted_keys", "Sign it"):
        assert words in err
    before = store.history()
    sign(capsys, store.path(other), keys / "theirs.pem")
    code, _, err = quorate(capsys, "promote", other, "--bundles", store.folder)
    assert code == 1
    assert "found signatures by" in err
    assert (store.champion(), store.history()) == (first, before)
    sign(capsys, store.path(other), keys / "ours.pem")
    assert quorate(capsys, "promote", other, "--bundles", store.folder)[0] == 0
    assert store.champion() == load_bundle(store.folder).id == other


def test_a_rollback_returns_to_no_bundle_that_loading_refuses(store, other, keys, capsys, tmp_path, monkeypatch):
    first = store.champion()
    sign(capsys, store.path(other), keys / "ours.pem")
    store.promote(other)
    (tmp_path / "quorate.toml").write_text(f'[bundle]\ntrusted_keys = ["{keys / "ours.pub"}"]\n')
    monkeypatch.chdir(tmp_path)
    code, _, err = quorate(capsys, "rollback", "--bundles", store.folder)
    assert code == 1
    assert f"could not make {first} the champion of {store.folder}: found no signature" in err
    assert store.champion() == other
    with pytest.raises(BundleError, match="no signature"):
        store.rollback(trust=trusted(keys, "ours.pub"))
    sign(capsys, store.path(first), keys / "ours.pem")
    assert quorate(capsys, "rollback", "--bundles", store.folder)[0] == 0
    assert store.champion() == first


def test_a_bundle_that_is_published_unsigned_is_no_champion(store, keys, caplog):
    manifest = store.manifest(store.champion())
    files = {name: (store.path(manifest.id) / name).read_bytes() for name in manifest.files}
    elsewhere = BundleStore(store.folder.parent / "elsewhere")
    elsewhere.publish(manifest, files, trust=trusted(keys, "ours.pub"))
    assert elsewhere.ids() == (manifest.id,)
    assert elsewhere.champion() is None
    assert f"{manifest.id} is published, and is not champion" in caplog.text
