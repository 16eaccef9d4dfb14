// The page's address: what is shown follows from it alone, and a click on one of our links changes it without a load.
import { computed, signal } from "@preact/signals";

const base = new URL(document.baseURI).pathname; // ends with a slash

const address = signal(new URL(location.href));

/** The path below the base, such as `sessions/sess_…`; empty at the base. */
export const path = computed(() => address.value.pathname.slice(base.length).replace(/\/$/, ""));

/** The query of the address. */
export const query = computed(() => address.value.searchParams);

/** The link to a path below the base. */
export function href(to: string): string {
  return base + to;
}

/** Goes to a path below the base; `replace` leaves no step to go back to. */
export function go(to: string, { replace = false }: { replace?: boolean } = {}): void {
  const target = new URL(href(to), location.href);
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  if (target.pathname !== address.value.pathname) scrollTo(0, 0);
  address.value = target;
}

addEventListener("popstate", () => (address.value = new URL(location.href)));

// Talk's policy names the server that it talks to, so that page is always loaded, never slid to. Others are not ours.
const LOADED = ["talk", "licenses"];

document.addEventListener("click", (event) => {
  const link = (event.target as Element | null)?.closest?.("a");
  if (!link || event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (!link.pathname.startsWith(base) || link.dataset.load !== undefined) return;
  const to = link.pathname.slice(base.length);
  if (LOADED.includes(to) || LOADED.includes(path.value)) return;
  event.preventDefault();
  go(to + link.search);
});
