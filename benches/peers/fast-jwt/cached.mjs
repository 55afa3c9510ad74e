// How long fast-jwt takes over a token that is in its cache: `npm ci && node cached.mjs`. The same claims, algorithm and
// expectations as in token_cache.rs; one line of JSON for each number of tokens, medians over all rounds.
import { generateKeyPairSync } from "node:crypto";
import { createSigner, createVerifier } from "fast-jwt";

const ORIGIN = "https://app.example.com";
const ROUNDS = 200;
const OPERATIONS = 10_000;

const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});
const sign = createSigner({ key: privateKey, algorithm: "EdDSA", expiresIn: "24h", kid: "fixed-eddsa" });

for (const count of [1, 10_000]) {
  const verify = createVerifier({
    key: publicKey,
    algorithms: ["EdDSA"],
    allowedIss: ORIGIN,
    allowedAud: ORIGIN,
    requiredClaims: ["exp", "sub"],
    clockTolerance: 30_000,
    cache: 20_000,
    cacheTTL: 24 * 60 * 60 * 1000,
  });
  const tokens = Array.from({ length: count }, (_, number) => token(number));
  for (const token of tokens) verify(token);
  const times = [];
  let at = 0;
  for (let round = -ROUNDS / 10; round < ROUNDS; round++) {
    const began = process.hrtime.bigint();
    for (let done = 0; done < OPERATIONS; done++) {
      if (!verify(tokens[at]).sub) throw new Error("no user");
      at = (at + 7919) % count;
    }
    if (round >= 0) times.push(Number(process.hrtime.bigint() - began) / OPERATIONS);
  }
  times.sort((one, other) => one - other);
  console.log(JSON.stringify({ node: process.version, tokens: count, bytes: tokens[0].length, median: Math.round(times[ROUNDS / 2]) }));
}

function token(number) {
  const id = `S3NBY4swX9ZsphkeenGjZ2Gz${String(number).padStart(8, "0")}`;
  return sign({
    iss: ORIGIN,
    aud: ORIGIN,
    sub: id,
    id,
    name: "Ada Lovelace",
    email: "ada@example.com",
    emailVerified: false,
    image: null,
    createdAt: "2026-11-20T19:13:56.411Z",
    updatedAt: "2026-11-20T19:13:56.411Z",
    role: "user",
    banned: false,
  });
}
