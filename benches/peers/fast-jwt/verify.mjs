import { createPublicKey } from "node:crypto";
import { createVerifier } from "fast-jwt";
import { serve } from "../turns.mjs";

await serve(({ algorithm, token, jwk, origin }) => {
  const key = jwk.k ? Buffer.from(jwk.k, "base64url") : pem(jwk);
  const verify = createVerifier({
    key,
    algorithms: [algorithm],
    allowedIss: origin,
    allowedAud: origin,
    requiredClaims: ["exp", "sub"],
    clockTolerance: 30_000,
    cache: false,
  });
  return () => verify(token);
});

function pem(jwk) {
  return createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" });
}
