"""Canaries in every place where a secret can stand, and texts that stay as they are."""

import base64
import json
from time import perf_counter
from urllib.parse import quote

import pytest

from quorate.core.errors import QuorateError
from quorate.core.redaction import redact, register_environment, register_secret

C = "Canary7c1f9e2b"

#: Shape -> text with a canary, recognised without being registered.
SHAPES = {
    "parameter apiKey": f"GET /fapi/v1/x?apiKey={C}&timestamp=1",
    "parameter signature": f"timestamp=1&signature={C}",
    "parameter sign": f"?sign={C}",
    "parameter uid": f"?uid={C}",
    "parameter access_token": f"?access_token={C}#x",
    "parameter listenKey": f"listenKey={C}",
    "percent-encoded parameter": f"?next=%2Fdb%3Fpassword%3D{C}",
    "password in a query": f"postgresql://h/db?user=a&password={C}",
    "sslpassword in a query": f"postgresql://h/db?sslpassword={C}",
    "connection string": f"host=h password={C} dbname=x",
    "quoted connection string": f"host=h password='{C} {C}' dbname=x",
    "double-quoted connection string": f'host=h password="{C} {C}" dbname=x',
    "connection string in JSON": json.dumps({"a": f'password="{C} {C}"'}),
    "user information": f"postgresql://me:{C}@h/db",
    "user information with @ and /": f"postgresql://me:{C}@{C}/{C}@h/db",
    "user alone": f"https://{C}@h/x",
    "one slash": f"postgresql:/me:{C}@h/db",
    "no slash": f"postgresql:me:{C}@h/db",
    "no scheme": f"me:{C}@h:5432/db",
    "no colon": f"postgresql//me:{C}@h/db",
    "proxy": f"http://u:{C}@proxy.example:8080",
    "header Authorization": f"Authorization: Bearer {C}",
    "header Proxy-Authorization": f"proxy-authorization: Basic {C}",
    "header of Binance": f"X-MBX-APIKEY: {C}",
    "header of Bybit": f"X-BAPI-SIGN: {C}",
    "header of OKX": f"OK-ACCESS-PASSPHRASE: {C}",
    "headers of KuCoin in Python": str({"KC-API-SIGN": C, "KC-API-KEY": C, "KC-API-PASSPHRASE": C}),
    "headers in JSON": json.dumps({"Authorization": f"Basic {C}", "X-MBX-APIKEY": C, "Cookie": f"a={C}"}),
    "a bearer alone": f"sent Bearer {C}",
    "fields in JSON": json.dumps({"apiKey": C, "secret": C, "password": C, "uid": C, "token": C, "privateKey": C}),
    "fields in Python": str({"apiKey": C, "secret": C, "api_secret": C, "walletPrivateKey": C}),
    "JSON inside JSON": json.dumps({"body": json.dumps({"apiKey": C})}),
    "Discord": f"https://discord.com/api/webhooks/123/{C}",
    "Slack": f"https://hooks.slack.com/services/T0/B0/{C}",
    "Telegram": f"https://api.telegram.org/bot123456:{C}/sendMessage",
    "private key": f"-----BEGIN EC PRIVATE KEY-----\n{C}\n-----END EC PRIVATE KEY-----",
}


@pytest.mark.parametrize("place", SHAPES)
def test_secrets_are_recognised_by_their_place(place):
    shown = redact(SHAPES[place])
    assert C not in shown
    assert "***" in shown
    if SHAPES[place].startswith("{") and '"' in SHAPES[place]:
        json.loads(shown)


@pytest.mark.parametrize("place", SHAPES)
@pytest.mark.parametrize("part", ["attempted", "found", "expected", "remedy"])
def test_errors_hold_no_secrets(place, part):
    error = QuorateError(**{"attempted": "x", part: SHAPES[place]})
    for text in (str(error), repr(error), str(vars(error)), str(error.args), str(error.__reduce__())):
        assert C not in text


@pytest.mark.parametrize(
    "text",
    [
        "could not use --split: found BNX/USDT:USDT=100@2023-02-21; expected SYMBOL=RATIO@DATE",
        "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE",
        "BTC/USDT:USDT: long 0.1 at 4005.2, stop 3990, target 4100 @ 2024-01-01T00:00:00Z",
        '{"signature": "valid", "key": "d3/BTC", "order_id": "a-b-c", "tokens": 12, "confidence": 0.71}',
        "unknown key 'flor'. Did you mean 'floor'?",
        "Basic settings and token budgets",
        "from 2024-01-01 to the newest; bars=500; design = 3",
    ],
)
def test_other_texts_stay_as_they_are(text):
    assert redact(text) == text


def register_some(secret):
    register_environment({"QUORATE_EXCHANGE_KEY": secret, "TOKENIZERS_PARALLELISM": "false"})
    register_environment({"HOME_TOKEN": "12345678901"})


NASTY = "pä/ss+w=rd\"q'\\&%"


@pytest.mark.parametrize("secret", [C, NASTY])
def test_a_registered_secret_is_removed_in_every_form(secret):
    raw = secret.encode()
    forms = {
        "plain": secret,
        "percent": quote(secret, safe=""),
        "percent twice": quote(quote(secret, safe=""), safe=""),
        "base64": base64.b64encode(raw).decode(),
        "base64 of addresses": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "hexadecimal": raw.hex(),
        "JSON": json.dumps(secret),
        "JSON in UTF-8": json.dumps(secret, ensure_ascii=False),
        "repr": repr(secret),
    }
    text = "\n".join(f"{name} <{form}>" for name, form in forms.items())
    register_some(secret)
    shown = redact(text)
    for name, form in forms.items():
        assert form not in shown, name
    assert shown.count("***") == len(forms)


def test_a_document_keeps_its_words_and_numbers():
    document = '{"a": false, "b": 12345678901}'
    register_some(C)
    assert redact(document) == document


@pytest.mark.parametrize("number", [1, 2])
def test_a_test_begins_without_the_secrets_of_the_one_before(number):
    assert redact("another word") == "another word", number
    register_secret("another")
    assert redact("another word") == "*** word"


@pytest.mark.parametrize("piece", ["a", "token", "a:/", "a:", "x-", "=", '"a', "password=", "Bearer ", "//", "@", "-"])
def test_long_texts_of_others_take_no_quadratic_time(piece):
    began = perf_counter()
    redact(piece * (200_000 // len(piece)) + "=key@")
    assert perf_counter() - began < 20


@pytest.mark.parametrize("code", [0xD800, 0xDCFF])
def test_a_secret_with_halves_of_surrogate_pairs_is_registered_too(code):
    secret = f"a{chr(code)}bcdef"
    register_secret(secret)
    assert redact(f"<{secret}>") == "<***>"
