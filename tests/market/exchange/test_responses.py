"""Responses that are too large or nested too deeply, and certificates that are not valid."""

import datetime as dt
import resource
import ssl
import threading
import zlib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from quorate.core.errors import ExchangeAnswerError, ExchangeDownError
from quorate.core.settings import ExchangeSettings
from quorate.market.exchange import Exchange

MIB = 1 << 20


def endless(handler):
    """A JSON text without an end, until the client has read enough."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    try:
        while True:
            handler.server.sent += handler.wfile.write(b"[1," * (MIB // 3))
    except OSError:
        handler.close_connection = True


def bomb(handler):
    """256 MiB of blanks in 256 KB."""
    pack = zlib.compressobj(9, wbits=31)
    body = b"".join([*(pack.compress(b" " * MIB) for _ in range(256)), pack.flush()])
    handler.send_response(200)
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def nested(handler):
    body = b'{"serverTime":' + b"[" * 10**6 + b"]" * 10**6 + b"}"
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@contextmanager
def serving(answer, context=None):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.requests += 1
            answer(self)

        def log_message(self, *rest):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.sent = server.requests = 0
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # clients hang up on purpose
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def connect(server, scheme="http", host="127.0.0.1"):
    url = f"{scheme}://{host}:{server.server_address[1]}"
    return Exchange(ExchangeSettings(url=url, paced=False, attempts=2, pause_s=0.01, timeout_s=20))


@pytest.mark.parametrize("answer", [endless, bomb])
def test_a_response_without_an_end_is_given_up(answer):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(answer) as server, connect(server) as exchange:
        with pytest.raises(ExchangeAnswerError, match="a response of more than 8 MiB"):
            exchange.present()
        assert server.requests == 2
    # What was sent but not read stands in buffers; two attempts in all.
    assert server.sent < 64 * MIB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 120 * 1024


def test_lists_of_markets_may_be_larger():
    large = pytest.raises(ExchangeAnswerError, match="a response of more than 64 MiB")
    with serving(endless) as server, connect(server) as exchange, large:
        exchange.symbols("1h")


def test_a_document_nested_too_deeply_is_an_invalid_response():
    refused = pytest.raises(ExchangeAnswerError, match="not a JSON document")
    with serving(nested) as server, connect(server) as exchange, refused:
        exchange.present()


def certificate(folder, name, days):
    """A self-signed certificate that ends in `days` days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    end = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(end - dt.timedelta(days=90))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key_path, path = folder / "key.pem", folder / "certificate.pem"
    key_path.write_bytes(secret)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path, key_path


@pytest.mark.parametrize(
    ("name", "days", "trusted", "words"),
    [
        ("localhost", 9, False, "self-signed certificate"),
        ("other.example", 9, True, "Hostname mismatch, certificate is not valid for 'localhost'"),
        ("localhost", -9, True, "certificate has expired"),
    ],
)
def test_certificates_are_named_in_the_error(tmp_path, name, days, trusted, words):
    certified, key = certificate(tmp_path, name, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certified, key)
    with serving(nested, context) as server, connect(server, "https", "localhost") as exchange:
        if trusted:
            exchange.connection.client.cafile = str(certified)
        with pytest.raises(ExchangeDownError, match=words) as refused:
            exchange.present()
        assert "Check this computer's clock" in str(refused.value)
        assert server.requests == 0
