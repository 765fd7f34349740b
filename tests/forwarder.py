"""Stands between a test and the machine's Docker engine: over a unix socket, TCP or TLS, until it is cut."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ENGINE = "/var/run/docker.sock"


class Forwarder:
    """Forwards every connection to the engine.

    Args:
        path: Unix socket to listen at; None listens on a free TCP port of the loopback.
        tls: Speak TLS on that port.
    """

    def __init__(self, path: Path | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.port = 0
        self._path = path
        self._tls = tls
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._ready.wait(10)

    def cut(self) -> None:
        """Break all connections and refuse new ones. Idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        self._open: set[asyncio.StreamWriter] = set()
        if self._path is not None:
            server = await asyncio.start_unix_server(self._forward, str(self._path))
        else:
            server = await asyncio.start_server(self._forward, "127.0.0.1", 0, ssl=self._tls)
            self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        server.close()
        for writer in self._open:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.wait(others) if others else None
        for writer in self._open:
            with suppress(OSError):
                await writer.wait_closed()
        await asyncio.sleep(0)  # transports close their sockets on the loop's next turn

    async def _forward(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        far, far_writer = await asyncio.open_unix_connection(ENGINE)
        self._open |= {near_writer, far_writer}
        await asyncio.gather(self._copy(near, far_writer), self._copy(far, near_writer))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        with suppress(OSError):
            target.close()
            await target.wait_closed()


@contextmanager
def forwarding(path: Path | None = None, tls: ssl.SSLContext | None = None) -> Iterator[Forwarder]:
    """A forwarder that is cut at the end."""
    forwarder = Forwarder(path, tls)
    try:
        yield forwarder
    finally:
        forwarder.cut()


def write_certificates(folder: Path) -> ssl.SSLContext:
    """Write what DOCKER_CERT_PATH holds; return the context of a server at 127.0.0.1 or "engine"."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    names = [x509.DNSName("engine"), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    for file in ("ca.pem", "cert.pem"):
        (folder / file).write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context
