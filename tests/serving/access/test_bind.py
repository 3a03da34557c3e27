"""Addresses that the service may listen on."""

import pytest

from quorate.core.errors import AccessError, SettingsError
from quorate.core.sections.access import AccessSettings
from quorate.serving.access.bind import bind_addresses
from stubs.certificates import write_certificate


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("127.0.0.1", ("127.0.0.1",)),
        ("127.0.0.9", ("127.0.0.9",)),
        ("127.1", ("127.0.0.1",)),
        ("2130706433", ("127.0.0.1",)),
        ("::1", ("::1",)),
        ("::ffff:127.0.0.1", ("::ffff:127.0.0.1",)),
    ],
)
def test_addresses_of_this_machine_only_are_allowed(host, addresses):
    assert bind_addresses(host, AccessSettings()) == addresses


def test_localhost_means_loopback():
    assert set(bind_addresses("localhost", AccessSettings())) <= {"127.0.0.1", "::1"}


PUBLIC = ["0.0.0.0", "0", "0x0", "::", "", "192.168.1.5", "10.0.0.1", "198.51.100.7", "2001:db8::1", "169.254.1.1",
          "::ffff:10.0.0.1", "fe80::1", "255.255.255.255", "128.0.0.1"]  # fmt: skip


@pytest.mark.parametrize("host", PUBLIC)
def test_addresses_that_others_reach_need_encryption(host, tmp_path):
    with pytest.raises(AccessError, match="read the token") as error:
        bind_addresses(host, AccessSettings())
    assert "access.behind_proxy" in error.value.remedy
    allowed = bind_addresses(host, AccessSettings(behind_proxy=True))
    assert allowed == bind_addresses(host, AccessSettings(proxies=("10.0.0.1",)))
    certificate, key = map(str, write_certificate(tmp_path))
    assert allowed == bind_addresses(host, AccessSettings(tls_certificate_file=certificate, tls_key_file=key))


def test_all_addresses_are_named_in_words():
    with pytest.raises(AccessError, match="all IPv4 addresses of this machine"):
        bind_addresses("0.0.0.0", AccessSettings())


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 300, "\ud800", "exa mple", "a..b"])
def test_names_that_are_none_are_refused(host):
    with pytest.raises(AccessError, match="expected an address of this machine"):
        bind_addresses(host, AccessSettings())


def test_a_certificate_must_load_with_its_key(tmp_path):
    certificate, key = map(str, write_certificate(tmp_path))
    _, other = map(str, write_certificate(tmp_path, "other"))
    closed, locked = map(str, write_certificate(tmp_path, "locked", b"secret"))
    (tmp_path / "empty").write_text("")
    for pair, found in [
        ((certificate, other), "certificate chain in PEM and the private key"),
        ((closed, locked), "passphrase"),
        ((str(tmp_path / "none"), key), "No such file"),
        ((str(tmp_path / "empty"), key), "certificate chain in PEM"),
    ]:
        with pytest.raises(AccessError, match=found):
            bind_addresses("127.0.0.1", AccessSettings(tls_certificate_file=pair[0], tls_key_file=pair[1]))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("proxies", ("*",)),
        ("proxies", ("0.0.0.0/0",)),
        ("proxies", ("::/0",)),
        ("proxies", ("proxy.example",)),
        ("proxies", "10.0.0.1"),
        ("proxies", (5,)),
        ("hosts", "q.example"),
        ("hosts", ("",)),
        ("tls_key_file", "key.pem"),
        ("tls_certificate_file", "certificate.pem"),
        ("attempts", 0),
        ("session_hours", 0),
        ("log_bytes", 10),
        ("log_files", 0),
    ],
)
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(SettingsError, match=rf"access\.{setting}"):
        AccessSettings(**{setting: value})
