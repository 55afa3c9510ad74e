import type { NextConfig } from "next";

const everywhere = [
  { key: "Content-Security-Policy", value: "frame-ancestors 'none'; base-uri 'self'; object-src 'none'" },
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "same-origin" },
];

// Where the task server is comes from the environment at start (src/proxy.ts), so one build serves every setting.
const config: NextConfig = {
  poweredByHeader: false,
  images: { unoptimized: true }, // none is scaled: no route for it, and its native library stays unloaded
  serverExternalPackages: ["libsql", "pg"], // native code, and a driver that loads parts of itself by name
  turbopack: { root: import.meta.dirname },
  headers: () => Promise.resolve([{ source: "/:path*", headers: everywhere }]),
};

export default config;
