import type { ReactNode } from "react";
import { Brand } from "@/components/Brand";

export default function AccountLayout({ children }: { children: ReactNode }) {
  return (
    <main id="main" className="account">
      <Brand href="/" />
      {children}
    </main>
  );
}
