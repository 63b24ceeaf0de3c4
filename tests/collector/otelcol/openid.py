"""An OpenID provider on loopback, as small as the standard lets it be: a discovery document, its keys, and tokens of them."""

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from spanledger_collector.listening import Tls
from tests.loopback import Handler, Loopback

__all__ = ["AUDIENCE", "Provider"]

AUDIENCE = "spanledger"


class Provider(Loopback):
    def __init__(self, tls: Tls) -> None:
        super().__init__(_Handler, tls=tls)
        self.keys = {"first": new_key()}

    def documents(self) -> dict[str, Any]:
        """Return what is at each path."""
        public = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "alg": "RS256", "use": "sig"}
            for name, key in self.keys.items()
        ]
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.origin,
                "jwks_uri": f"{self.origin}/keys",
                "authorization_endpoint": f"{self.origin}/authorize",
                "token_endpoint": f"{self.origin}/token",
                "id_token_signing_alg_values_supported": ["RS256"],
            },
            "/keys": {"keys": public},
        }

    def claims(self, **other: Any) -> dict[str, Any]:
        """Return the claims of a good token of Globex; None takes one away."""
        now = int(time.time())
        good = {"iss": self.origin, "aud": AUDIENCE, "sub": "shop", "tenant": "Globex", "iat": now, "exp": now + 600}
        return {name: value for name, value in {**good, **other}.items() if value is not None}

    def token(self, kid: str = "first", key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """Return a token that a key of this provider signed, or another key in its name."""
        return jwt.encode(self.claims(**claims), key or self.keys[kid], "RS256", {"kid": kid})


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class _Handler(Handler):
    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        found = self.owner.documents().get(self.path)
        body = json.dumps(found).encode()
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
