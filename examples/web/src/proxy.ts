// What runs before a page: the gateway to the task server, and the redirect to /login.
import { NextResponse, type NextRequest } from "next/server";
import { auth } from "./server/auth";
import { settings } from "./server/settings";

export async function proxy(request: NextRequest) {
  const here = request.nextUrl.pathname + request.nextUrl.search;
  if (here.startsWith("/api/")) return toTaskServer(request, here);

  // The whole check, signature and database, and not only whether a cookie is there: anybody can write a cookie.
  const query = { disableRefresh: true }; // the answer cannot carry the lengthened cookie from here
  if (await auth().api.getSession({ headers: request.headers, query })) return NextResponse.next();
  const login = new URL("/login", settings().baseUrl);
  login.searchParams.set("next", here);
  return NextResponse.redirect(login);
}

// A rewrite made here and not in next.config.ts, which would fix the address when the app is built.
function toTaskServer(request: NextRequest, here: string) {
  const { mode, tasksUrl } = settings();
  if (mode === "direct") return NextResponse.next();
  const headers = new Headers(request.headers);
  if (mode === "gateway") headers.delete("cookie"); // the token speaks; the session is none of that server's business
  return NextResponse.rewrite(new URL(here, tasksUrl), { request: { headers } });
}

export const config = {
  matcher: ["/dashboard/:path*", "/profile/:path*", "/sessions/:path*", "/admin/:path*", "/api/((?!auth/).*)"],
};
