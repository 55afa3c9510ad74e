// Better Auth: who signs in here, and the tokens that the Rust server believes.
import { betterAuth } from "better-auth";
import { nextCookies } from "better-auth/next-js";
import { admin } from "better-auth/plugins/admin";
import { bearer } from "better-auth/plugins/bearer";
import { jwt } from "better-auth/plugins/jwt";
import { openDatabase } from "./database";
import { settings } from "./settings";

function make() {
  const { baseUrl, secret, adminEmails, tokenLifetime, limitsSignIns, ...database } = settings();
  return betterAuth({
    baseURL: baseUrl,
    secret,
    database: openDatabase(database),
    emailAndPassword: { enabled: true },
    databaseHooks: { user: { create: { before: (user) => firstAdmins(user, adminEmails) } } },
    plugins: [
      admin(), // gives users a `role`, which the token then carries
      bearer({ requireSignature: true }),
      jwt({ jwt: { expirationTime: tokenLifetime } }),
      nextCookies(), // lets server actions set cookies; has to come last
    ],
    rateLimit: { enabled: limitsSignIns },
    telemetry: { enabled: false },
  });
}

// Sign-up takes no role, so the first administrators come from the environment. Their addresses are not verified here:
// a service that is not an example verifies them first.
function firstAdmins<User extends { email: string }>(user: User, adminEmails: string[]) {
  const isAdmin = adminEmails.includes(user.email.toLowerCase());
  return Promise.resolve(isAdmin ? { data: { ...user, role: "admin" } } : undefined);
}

let made: ReturnType<typeof make> | undefined;

/** Made at the first request, so that a build opens no database. */
export const auth = () => (made ??= make());
