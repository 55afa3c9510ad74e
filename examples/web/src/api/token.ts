// The token: in memory only, where no other page and no later visitor finds it.

export interface TokenSource {
  /** One with some life left. */
  get: () => Promise<string>;
  /** This one was refused, or whichever there is says too little: the next `get` fetches another. */
  forget: (token?: string) => void;
}

/** `mint` fetches a token; `user` is whose page this is. */
export function createTokenSource(mint: () => Promise<string>, user: string): TokenSource {
  let current: { token: string; renewAt: number } | undefined;
  let renewal: Promise<string> | undefined; // one in flight, for however many wait

  async function renew() {
    const asked = Date.now();
    const token = await mint();
    const { sub, iat, exp } = claims(token);
    if (sub !== user) throw new OtherUser();
    // Its age is measured from here, so that a clock which is wrong on this machine does no harm.
    const life = (exp - iat) * 1000;
    current = { token, renewAt: asked + life - Math.min(30_000, life / 4) };
    return token;
  }

  return {
    get: async () => {
      if (current && Date.now() < current.renewAt) return current.token;
      renewal ??= renew().finally(() => (renewal = undefined));
      return renewal;
    },
    forget: (token) => {
      if (token === undefined || current?.token === token) current = undefined;
    },
  };
}

/** Somebody else has signed in from this browser since the page was loaded. */
export class OtherUser extends Error {}

// Read, not verified: that is the task server's work.
function claims(token: string) {
  const payload = token.split(".")[1] ?? "";
  const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as { sub: string; iat: number; exp: number };
}
