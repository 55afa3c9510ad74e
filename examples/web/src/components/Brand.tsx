import Link from "next/link";

export function Brand({ href }: { href: string }) {
  return (
    <Link className="brand" href={href}>
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="9" fill="currentColor" />
        <path d="M9 16.5l5 5 9.5-11" fill="none" />
      </svg>
      Tasks
    </Link>
  );
}
