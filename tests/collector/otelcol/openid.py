"""An OpenID provider on loopback, as small as the standard lets it be: a discovery document, its keys, and tokens of them."""

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from spanledger_collector.listening import Tls

__all__ = ["AUDIENCE", "Provider"]

AUDIENCE = "spanledger"


class Provider:
    """Context manager: serves on a port of 127.0.0.1, over TLS, as long as the block lasts."""

    def __init__(self, tls: Tls) -> None:
        self.keys = {"first": new_key()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.certificate, tls.key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        cast("Any", self._server).provider = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def issuer(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def documents(self) -> dict[str, Any]:
        """Return what is at each path."""
        public = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "alg": "RS256", "use": "sig"}
            for name, key in self.keys.items()
        ]
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/keys",
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            "/keys": {"keys": public},
        }

    def claims(self, **other: Any) -> dict[str, Any]:
        """Return the claims of a good token of Globex; None takes one away."""
        now = int(time.time())
        good = {"iss": self.issuer, "aud": AUDIENCE, "sub": "shop", "tenant": "Globex", "iat": now, "exp": now + 600}
        return {name: value for name, value in {**good, **other}.items() if value is not None}

    def token(self, kid: str = "first", key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """Return a token that a key of this provider signed, or another key in its name."""
        return jwt.encode(self.claims(**claims), key or self.keys[kid], "RS256", {"kid": kid})


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        provider: Provider = cast("Any", self.server).provider
        found = provider.documents().get(self.path)
        body = json.dumps(found).encode()
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
