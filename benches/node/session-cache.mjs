// How long Better Auth's own `getCookieCache` takes over a cookie. A case comes as JSON on standard input:
// { cookie, options, rounds, operations }; the answer is one line of JSON with the medians over all rounds.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const AT_ONCE = 32; // `operations` is a multiple of it

const server = createRequire(new URL("../../examples/better-auth/package.json", import.meta.url));
const { getCookieCache } = await import(pathToFileURL(server.resolve("better-auth/cookies")));

const { cookie, options, rounds, operations } = JSON.parse(await text(process.stdin));
const headers = new Headers({ cookie });
if (!(await getCookieCache(headers, options))?.user?.id) throw new Error("Better Auth does not accept this cookie");

// One after the other, as one request waits for its answer.
const oneByOne = await median(async () => {
  for (let done = 0; done < operations; done++) await getCookieCache(headers, options);
});
// Many at once: WebCrypto works on threads of its own.
const atOnce = await median(async () => {
  for (let done = 0; done < operations; done += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, () => getCookieCache(headers, options)));
});
console.log(JSON.stringify({ node: process.version, oneByOne, atOnce }));

/** Nanoseconds for one operation. The first tenth of the rounds warms up, and does not count. */
async function median(round) {
  const times = [];
  for (let number = -Math.ceil(rounds / 10); number < rounds; number++) {
    const began = process.hrtime.bigint();
    await round();
    if (number >= 0) times.push(Number(process.hrtime.bigint() - began) / operations);
  }
  return Math.round(times.sort((one, other) => one - other)[Math.floor(rounds / 2)]);
}

async function text(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
