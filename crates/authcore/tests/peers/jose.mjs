// One side of tests/peers with jose, the library that Better Auth signs with: makes tokens, and judges ours.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

// jose stands where the test says, which is not where this file is.
const jose = await import(pathToFileURL(createRequire(`${process.cwd()}/`).resolve("jose")));

const { claims, presented } = JSON.parse(readFileSync(0, "utf8"));

const curves = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };
const rsa = await jose.generateKeyPair("RS256", { extractable: true });

async function pair(alg) {
  if (alg.startsWith("HS")) {
    const secret = await jose.generateSecret(alg, { extractable: true });
    return [secret, await jose.exportJWK(secret)];
  }
  const isRsa = alg.startsWith("RS") || alg.startsWith("PS");
  const { privateKey, publicKey } = isRsa ? rsa : await jose.generateKeyPair(alg, { extractable: true, crv: curves[alg] });
  return [await jose.importJWK(await jose.exportJWK(privateKey), alg), await jose.exportJWK(publicKey)];
}

async function make(alg) {
  const [signingKey, jwk] = await pair(alg);
  const kid = `jose-${alg}`;
  const token = await new jose.SignJWT(claims).setProtectedHeader({ alg, kid, typ: "JWT" }).sign(signingKey);
  return { alg, token, jwk: { ...jwk, alg, kid } };
}

async function judge({ alg, jwk, token }) {
  const expected = { algorithms: [alg], issuer: claims.iss, audience: claims.aud, requiredClaims: ["sub", "exp"] };
  try {
    const { payload } = await jose.jwtVerify(token, await jose.importJWK(jwk, alg), expected);
    return { user: payload.sub };
  } catch (error) {
    return { refused: error.code ?? error.message };
  }
}

const algorithms = [...new Set(presented.map(({ alg }) => alg))];
const made = await Promise.all(algorithms.map(make));
const verdicts = await Promise.all(presented.map(judge));
process.stdout.write(JSON.stringify({ made, verdicts }));
