import type { ComponentChildren } from "preact";
import { href, path } from "./routing";
import { key, signOut } from "./sign_in/key";

const PAGES = [
  ["sessions", "Sessions"],
  ["talk", "Talk"],
  ["usage", "Usage"],
  ["webhooks", "Webhooks"],
  ["keys", "Keys"],
  ["docs", "API"],
] as const;

function toContent(event: Event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

/** The frame of every page: where one can go, and out. */
export function Shell({ children }: { children: ComponentChildren }) {
  const here = path.value.split("/")[0] || "sessions";
  return (
    <>
      <a class="skip" href={location.pathname + location.search + "#main"} onClick={toContent}>Skip to content</a>
      <header class="top">
        <a class="brand" href={href("sessions")} aria-label="Parley, sessions">
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
            <rect width="32" height="32" rx="8" class="mark" />
            <path d="M8 13v6M13 9v14M18 12v8M23 7v18" class="mark-bars" />
          </svg>
          <span>Parley</span>
        </a>
        <nav aria-label="Pages">
          {PAGES.map(([to, name]) => (
            <a key={to} href={href(to)} aria-current={here === to ? "page" : undefined}>{name}</a>
          ))}
        </nav>
        {key.value ? <button class="quiet" onClick={signOut}>Sign out</button> : <a class="button quiet" href={href("")}>Sign in</a>}
      </header>
      <main id="main" tabIndex={-1}>{children}</main>
    </>
  );
}
