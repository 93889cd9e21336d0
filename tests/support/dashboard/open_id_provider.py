"""A small OpenID Connect provider on loopback, which signs its tokens and checks PKCE."""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from threading import Thread
from typing import Any
from urllib.parse import urlencode

from flask import Flask, redirect, request
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

CLIENT_ID = "brazebee"
CLIENT_SECRET = "shared secret"


@cache
def _generated_key() -> RSAKey:
    """Return the key of all providers: to generate one takes a tenth of a second."""
    return RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """Authenticates every visitor, with `claims` in the ID token and `user_info` at its own URL.

    `token_changes` are applied to each ID token before it is signed; `signing_key` may differ from
    the published `key`.
    """

    claims: dict[str, Any] = field(default_factory=dict)
    user_info: dict[str, Any] = field(default_factory=dict)
    token_changes: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=_generated_key)
    signing_key: RSAKey | None = None
    authorizations: dict[str, dict[str, str]] = field(default_factory=dict)
    url: str = ""

    def app(self) -> Flask:
        app = Flask("provider")
        app.add_url_rule("/.well-known/openid-configuration", "metadata", self.metadata)
        app.add_url_rule("/keys", "keys", lambda: {"keys": [self.key.as_dict(private=False)]})
        app.add_url_rule("/authorize", "authorize", self.authorize)
        app.add_url_rule("/token", "token", self.token, methods=["POST"])
        app.add_url_rule("/userinfo", "userinfo", lambda: self.user_info)
        return app

    def metadata(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def authorize(self) -> ResponseReturnValue:
        """Authorize at once, without a form."""
        parameters = request.args.to_dict()
        assert parameters["client_id"] == CLIENT_ID
        assert parameters["code_challenge_method"] == "S256"
        assert parameters["scope"] == "openid email profile"
        code = secrets.token_urlsafe()
        self.authorizations[code] = parameters
        answer = urlencode({"code": code, "state": parameters["state"]})
        return redirect(f"{parameters['redirect_uri']}?{answer}")

    def token(self) -> ResponseReturnValue:
        authorization = self.authorizations.pop(request.form["code"], None)
        verifier = hashlib.sha256(request.form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        client = request.authorization
        if (
            authorization is None
            or authorization["code_challenge"] != challenge
            or authorization["redirect_uri"] != request.form["redirect_uri"]
            or client is None
            or (client.username, client.password) != (CLIENT_ID, CLIENT_SECRET)
        ):
            return {"error": "invalid_grant"}, 400
        at = int(time.time())
        claims = {
            "iss": self.url,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "iat": at,
            "exp": at + 300,
            "nonce": authorization["nonce"],
            **self.claims,
            **self.token_changes,
        }
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.signing_key or self.key)
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}


@contextmanager
def running_provider() -> Iterator[Provider]:
    provider = Provider()
    server = make_server("127.0.0.1", 0, provider.app(), threaded=True)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
