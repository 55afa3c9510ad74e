"""One side of tests/peers with PyJWT: makes tokens, and judges ours."""

import json
import secrets
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pair(alg):
    if alg.startswith("HS"):
        secret = secrets.token_bytes(64)
        return secret, secret
    if alg in CURVES:
        private = ec.generate_private_key(CURVES[alg]())
    elif alg == "EdDSA":
        private = ed25519.Ed25519PrivateKey.generate()
    else:
        private = RSA
    return private, private.public_key()


def make(alg, claims):
    private, public = pair(alg)
    kid = f"pyjwt-{alg}"
    jwk = jwt.get_algorithm_by_name(alg).to_jwk(public, as_dict=True)
    return {"alg": alg, "token": jwt.encode(claims, private, alg, {"kid": kid}), "jwk": {**jwk, "alg": alg, "kid": kid}}


def judge(alg, jwk, token, claims):
    expected = {"audience": claims["aud"], "issuer": claims["iss"], "options": {"require": ["sub", "exp"]}}
    try:
        return {"user": jwt.decode(token, jwt.PyJWK(jwk), algorithms=[alg], **expected)["sub"]}
    except jwt.PyJWTError as error:
        return {"refused": type(error).__name__}


question = json.load(sys.stdin)
claims, presented = question["claims"], question["presented"]
algorithms = dict.fromkeys(one["alg"] for one in presented)
made = [make(alg, claims) for alg in algorithms]
verdicts = [judge(one["alg"], one["jwk"], one["token"], claims) for one in presented]
json.dump({"made": made, "verdicts": verdicts}, sys.stdout)
