/** Where to go after signing in: a page of this app, whatever a link says (CWE-601). */
export function localPath(next: string | string[] | undefined): string {
  if (typeof next !== "string" || !next.startsWith("/")) return HOME;
  const url = URL.parse(next, NOWHERE); // as a browser reads it: `//evil.example` and `/\evil.example` leave
  return url?.origin === NOWHERE ? url.pathname + url.search : HOME;
}

const HOME = "/dashboard";
const NOWHERE = "http://local.invalid";
