import { importJWK, jwtVerify } from "jose";
import { serve } from "../turns.mjs";

await serve(async ({ algorithm, token, jwk, origin }) => {
  const key = await importJWK(jwk, algorithm);
  const options = {
    algorithms: [algorithm],
    issuer: origin,
    audience: origin,
    typ: "JWT",
    requiredClaims: ["exp", "sub"],
    clockTolerance: 30,
  };
  return async () => (await jwtVerify(token, key, options)).payload;
});
